import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer, connect as connectTcp } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AppDeps } from '../../src/http/app.ts'
import { createPlaces } from '../../src/http/places.ts'
import { curl, depsOf, resultOf } from '../helpers/http.ts'
import { createAuthority, openDoor, pem, replace, serialOf, servedSerial } from '../helpers/tls.ts'
import type { Authority, Pair, TlsDoor } from '../helpers/tls.ts'

type Collect = AppDeps['collect']

const scopes = { clientScopes: ['bundle' as const] }
const run = promisify(execFile)
const config = { ...depsOf().config, auth: 'none' as const }

async function opened(overrides: Partial<AppDeps> = {}) {
  const authority = createAuthority()
  const pair = authority.sign('server')
  const door = await openDoor(depsOf({ config, ...overrides }), { tls: { ...pair, ...scopes } })
  const ask = (...args: string[]) => curl('--cacert', authority.certificate, ...args)
  return { authority, pair, door, ask }
}

describe('a door with a certificate', () => {
  test('speaks HTTPS to who trusts it', async () => {
    const { door, ask } = await opened()
    const { code, stdout } = await ask('-fi', `${door.url()}/debug-package`)
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 200 /)
    expect(stdout.toString()).toContain('\r\nstrict-transport-security: max-age=')
    expect(stdout.toString().endsWith('bundle')).toBe(true)
    expect(door.problems()).toEqual([])
    expect(door.warnings()).toEqual([])
  })

  test.each([
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const)('%s is spoken: %s', async (version, spoken) => {
    const { door } = await opened()
    const ciphers = 'DEFAULT@SECLEVEL=0'
    const versions = { minVersion: version, maxVersion: version, ciphers }
    const socket = connect({ port: door.port(), host: '127.0.0.1', rejectUnauthorized: false, ...versions })
    const error = once(socket, 'error')
    const outcome = await Promise.race([once(socket, 'secureConnect').then(() => true), error.then(() => false)])
    expect(outcome).toBe(spoken)
    socket.destroy()
  })

  test('tells who speaks plain HTTP to it what it is', async () => {
    const { door } = await opened()
    const { stdout } = await curl('-i', door.url().replace('https', 'http'))
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(stdout.toString()).toContain('"code":"bad-request"')
    expect(stdout.toString()).toContain('ask with https://')
    expect(stdout.toString()).not.toContain('strict-transport-security')
  })

  test('a bundle that breaks off is an error to every client', async () => {
    const { door, ask, authority } = await opened({
      collect: async ({ sink }) => {
        await sink.write(Buffer.alloc(100_000))
        throw new Error('the engine broke')
      },
    })
    const url = `${door.url()}/debug-package`
    expect((await ask('-f', url)).code).not.toBe(0)
    const request = get(url, { ca: pem(authority.certificate), agent: false })
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>]
    request.on('error', () => {})
    await expect(Array.fromAsync(response)).rejects.toThrow()
  })
})

describe('a client that reads too little, over TLS', () => {
  const endless =
    (ended: (written: number, reason: string) => void): Collect =>
    async ({ sink, signal }) => {
      let written = 0
      try {
        for (;;) {
          signal.throwIfAborted()
          await sink.write(Buffer.alloc(1024 ** 2))
          written += 1024 ** 2
        }
      } catch (error) {
        ended(written, signal.aborted ? (signal.reason as Error).message : (error as Error).message)
        throw error
      }
    }

  test('loses its place when it takes no byte, and what it had was bounded', async () => {
    const ended = Promise.withResolvers<{ written: number; reason: string }>()
    const places = createPlaces(1)
    const collect = endless((written, reason) => ended.resolve({ written, reason }))
    const { door } = await opened({ collect, places, stallMs: 100 })
    const socket = connect({ port: door.port(), host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    socket.pause().write('GET /debug-package HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const { written, reason } = await ended.promise
    expect(reason).toBe('the client took no byte for 0.1 s')
    expect(written).toBeLessThan(16 * 1024 ** 2)
    await places.idle()
    const received = await text(socket).catch(() => 'reset')
    expect(received.endsWith('0\r\n\r\n')).toBe(false)
  })
})

/** Reads a bundle with small buffers at a rate; prints how many bytes it got. */
const SLOW_READER = `
import socket, ssl, sys, time
port, rate = int(sys.argv[1]), int(sys.argv[2])
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
sock.connect(('127.0.0.1', port))
sock = ssl._create_unverified_context().wrap_socket(sock)
sock.sendall(b'GET /debug-package HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')
got = b''
while True:
    part = sock.recv(2048)
    if not part: break
    got += part
    time.sleep(len(part) / rate)
print(got.endswith(b'\\r\\n0\\r\\n\\r\\n'), len(got) > 4000000)
`

// The kernel takes what it is given in bites, which last longer at this rate than the patience with one who stands still.
test('a slow client keeps its place as long as it takes something', async () => {
  const collect: Collect = async ({ sink }) => {
    await sink.write(Buffer.alloc(4_000_000))
    return resultOf(4_000_000)
  }
  const { door } = await opened({ collect, stallMs: 400 })
  const { stdout } = await run('python3', ['-c', SLOW_READER, String(door.port()), '800000'])
  expect(stdout).toBe('True True\n')
})

describe('a new certificate', () => {
  test('is seen by new connections, while a bundle under way goes on', async () => {
    const letGo = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const { authority, pair, door, ask } = await opened({
      collect: async ({ sink }) => {
        await sink.write(Buffer.from('before '))
        begun.resolve()
        await letGo.promise
        await sink.write(Buffer.from('after'))
        return resultOf(12)
      },
    })
    const download = ask('-f', `${door.url()}/debug-package`)
    await begun.promise
    const renewed = authority.sign('renewed')
    replace(pair, renewed)
    await door.check()
    expect(await servedSerial(door.port())).toBe(serialOf(renewed))
    letGo.resolve()
    const { code, stdout } = await download
    expect(code).toBe(0)
    expect(stdout.toString()).toBe('before after')
    expect((await ask('-f', `${door.url()}/health`)).code).toBe(0)
  })

  test('is found by itself', async () => {
    const authority = createAuthority()
    const pair = authority.sign('server')
    const door = await openDoor(depsOf(), { tls: { ...pair, ...scopes }, checkMs: 20 })
    const renewed = authority.sign('renewed')
    replace(pair, renewed)
    // Ends with the test when it is never found.
    while ((await servedSerial(door.port())) !== serialOf(renewed));
  })

  test('arrives by a link that is swapped, as certbot and Kubernetes do it', async () => {
    const authority = createAuthority()
    const at = (name: string) => join(authority.folder, name)
    const place = (name: string, pair: Pair) => {
      mkdirSync(at(name))
      renameSync(pair.certificate, at(`${name}/tls.crt`))
      renameSync(pair.key, at(`${name}/tls.key`))
      symlinkSync(name, at('..data_tmp'))
      renameSync(at('..data_tmp'), at('..data'))
    }
    place('..first', authority.sign('first'))
    symlinkSync('..data/tls.crt', at('tls.crt'))
    symlinkSync('..data/tls.key', at('tls.key'))
    const door = await openDoor(depsOf(), { tls: { certificate: at('tls.crt'), key: at('tls.key'), ...scopes } })
    const second = authority.sign('second')
    const serial = serialOf(second)
    place('..second', second)
    rmSync(at('..first'), { recursive: true })
    await door.check()
    expect(door.problems()).toEqual([])
    expect(await servedSerial(door.port())).toBe(serial)
  })

  test('that is bad leaves the one from before in use, and says so until it is mended', async () => {
    const { authority, pair, door } = await opened()
    const serial = serialOf(pair)
    const renewed = authority.sign('renewed')
    replace(pair, { certificate: renewed.certificate, key: pair.key })
    await door.check()
    expect(door.problems()).toEqual([
      {
        key: 'tls',
        message: `${pair.key} is not the key of ${pair.certificate}; the certificate from before is used on until that is mended`,
      },
    ])
    expect(await servedSerial(door.port())).toBe(serial)
    replace(pair, renewed)
    await door.check()
    expect(door.problems()).toEqual([])
    expect(await servedSerial(door.port())).toBe(serialOf(renewed))
  })

  test('that does not change changes nothing', async () => {
    const { door, pair } = await opened()
    await door.check()
    chmodSync(pair.key, 0o640)
    await door.check()
    expect(door.problems()).toEqual([])
    expect(await servedSerial(door.port())).toBe(serialOf(pair))
  })
})

describe('files that cannot be used keep TCP closed, and are named', () => {
  const bad: [what: string, spoil: (pair: Pair, authority: Authority) => object | void, message: RegExp][] = [
    ['no certificate', ({ certificate }) => rmSync(certificate), /server\.pem cannot be used: ENOENT/],
    ['no key', ({ key }) => rmSync(key), /server\.key cannot be used: ENOENT/],
    [
      'a key that all may read',
      ({ key }) => chmodSync(key, 0o644),
      /server\.key .*everybody .* may read or write it; accepted:/,
    ],
    [
      'a key that is none',
      ({ key }) => writeFileSync(key, 'hunter2'),
      /server\.key has no private key in it; accepted: PEM/,
    ],
    [
      'a certificate that is none',
      ({ certificate }) => writeFileSync(certificate, 'x'),
      /server\.pem has no certificate in it/,
    ],
    [
      'a damaged certificate',
      ({ certificate }) => writeFileSync(certificate, pem(certificate).replace(/MII/, 'AAA')),
      /server\.pem: certificate 1 in it is damaged/,
    ],
    ['the key of another', (_, { sign }) => ({ key: sign('other').key }), /other\.key is not the key of .*server\.pem/],
    ['a folder', (_, { folder }) => ({ certificate: folder }), /is not a regular file/],
    ['an authority that is none', ({ key }) => ({ clientCa: key }), /server\.key has no certificate in it/],
  ]
  test.each(bad)('%s', async (_, spoil, message) => {
    const authority = createAuthority()
    const pair = authority.sign('server')
    const changed = spoil(pair, authority)
    const door = await openDoor(depsOf(), { tls: { ...pair, ...scopes, ...changed } })
    expect(door.server()).toBeUndefined()
    expect(door.problems()).toEqual([{ key: 'tls', message: expect.stringMatching(message) as string }])
    expect(door.problems()[0]!.message).toContain('TCP stays closed until that is mended')
    expect(door.problems()[0]!.message).not.toContain('hunter2')
  })

  test('and it opens when they are mended', async () => {
    const authority = createAuthority()
    const at = (name: string) => join(authority.folder, name)
    const tls = { certificate: at('later.pem'), key: at('later.key'), ...scopes }
    const door = await openDoor(depsOf(), { tls })
    expect(door.server()).toBeUndefined()
    const pair = authority.sign('later')
    await door.check()
    expect(door.problems()).toEqual([])
    expect(await servedSerial(door.port())).toBe(serialOf(pair))
  })
})

test.each([
  [90, undefined],
  [10, /server\.pem expires at \S+Z, in (9|10) days$/],
  [-1, /server\.pem has expired at \S+Z: clients refuse it$/],
])('a certificate for %i days: %s', async (days, warning) => {
  const pair = createAuthority().sign('server', { days })
  const door: TlsDoor = await openDoor(depsOf(), { tls: { ...pair, ...scopes } })
  expect(door.problems()).toEqual([])
  expect(door.warnings()).toEqual(warning ? [expect.stringMatching(warning)] : [])
})

describe('certificates of clients', () => {
  async function withClients() {
    const authority = createAuthority()
    const clients = createAuthority('the clients')
    const tls = { ...authority.sign('server'), clientCa: clients.certificate, ...scopes }
    const door = await openDoor(depsOf({ config: { ...depsOf().config, tls } }), { tls })
    const ask = async (...args: string[]) => {
      const url = `${door.url()}/debug-package`
      return (await curl('-i', '--cacert', authority.certificate, ...args, url)).stdout.toString()
    }
    const show = ({ certificate, key }: Pair) => ['--cert', certificate, '--key', key]
    return { authority, clients, ask, show }
  }

  test('of the authority named are an identity, of another are none', async () => {
    const { authority, clients, ask, show } = await withClients()
    expect(await ask(...show(clients.sign('alice', { subject: '/CN=alice' })))).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask(...show(authority.sign('mallory', { subject: '/CN=alice' })))).toMatch(/^HTTP\/1\.1 401 /)
    expect(await ask(...show(clients.sign('old', { days: -1 })))).toMatch(/^HTTP\/1\.1 401 /)
    expect(await ask()).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('do not spare a browser from being asked by which page it was sent', async () => {
    const { clients, ask, show } = await withClients()
    const answer = await ask(...show(clients.sign('alice')), '-H', 'Sec-Fetch-Site: cross-site')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
  })
})

test('a TLS handshake that breaks off leaves nothing behind', async () => {
  const { door, ask } = await opened()
  for (const bytes of ['', '\u0016\u0003\u0001\u0002\0', '\u0016\u0003\u0001\0\u0005hello', '\0'.repeat(2000)]) {
    const socket = connectTcp(door.port(), '127.0.0.1')
    socket.on('error', () => {}).end(bytes, 'latin1')
    socket.resume()
    await once(socket, 'close')
  }
  expect((await ask('-f', `${door.url()}/health`)).code).toBe(0)
})

test('an address that is taken is tried again', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const door = await openDoor(depsOf(), { listen: { host: '127.0.0.1', port } })
  expect(door.problems()).toEqual([
    { key: 'listen', message: expect.stringMatching(/EADDRINUSE.*tried again/) as string },
  ])
  await new Promise((resolve) => other.close(resolve))
  await door.check()
  expect(door.problems()).toEqual([])
  expect((await curl('-f', `${door.url()}/health`)).code).toBe(0)
})
