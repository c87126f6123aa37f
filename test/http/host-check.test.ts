import { describe, expect, test } from 'vitest'
import { ERRORS, HttpError } from '../../src/http/errors.ts'
import { checkHost } from '../../src/http/host-check.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { openDoor } from '../helpers/tls.ts'

const config = { ...depsOf().config, auth: 'none' as const }

function refusal(host: string, hosts: readonly string[] = []): HttpError | undefined {
  try {
    checkHost(host, hosts)
  } catch (error) {
    return error as HttpError
  }
}

describe('the header Host', () => {
  test.each([
    'localhost',
    'localhost:7433',
    'LOCALHOST',
    'localhost.',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]',
    '[::1]:7433',
  ])('%s is this machine', (host) => expect(refusal(host)).toBeUndefined())

  test.each(['192.0.2.7:7433', '[2001:db8::1]', '169.254.169.254'])(
    '%s is an address, and no name can lead here',
    (host) => expect(refusal(host)).toBeUndefined(),
  )

  test.each([
    'evil.example',
    'evil.example:7433',
    'localhost.evil.example',
    'evil.localhost',
    '127.0.0.1.nip.io',
    '127.1',
    '2130706433',
    '0x7f.1',
    '[::1].evil.example',
    '[evil.example]',
    'a@localhost',
    'localhost/',
    'localhost:',
    'localhost:7433:7433',
    'localhost ',
    '::1',
    '',
    '\u0000',
    '__proto__',
  ])('%j is refused', (host) => expect(refusal(host)?.code).toBe('wrong-host'))

  test('may be a name of the configuration, whatever its case and port', () => {
    const hosts = ['Node-1.example']
    expect(refusal('node-1.EXAMPLE:7433', hosts)).toBeUndefined()
    expect(refusal('node-2.example', hosts)?.message).toBe(
      'the header Host names "node-2.example"; accepted: localhost, any IP address, Node-1.example; another name is added by the key hosts of config.yaml',
    )
  })
})

async function answer(url: string, ...headers: string[]): Promise<{ status: number; code?: string }> {
  const args = headers.flatMap((header) => ['-H', header])
  const [head, body] = (await curl('-i', ...args, url)).stdout.toString().split('\r\n\r\n') as [string, string]
  const status = Number(head.split(' ')[1])
  return status === 200 ? { status } : { status, code: (JSON.parse(body) as { code: string }).code }
}

const wrongHost = { status: ERRORS['wrong-host'].status, code: 'wrong-host' }
const crossSite = { status: ERRORS['cross-site'].status, code: 'cross-site' }

describe('on a loopback address', () => {
  test('a page whose name suddenly points here gets nothing, /health neither', async () => {
    const door = await openDoor(depsOf({ config }), { hosts: ['node-1.example'] })
    for (const path of ['/debug-package', '/health', '/nothing']) {
      expect(await answer(door.url() + path, 'Host: evil.example')).toEqual(wrongHost)
    }
    expect(await answer(`${door.url()}/health`, 'Host: node-1.example')).toEqual({ status: 200 })
  })

  test('the host of an absolute URL is held to be that of the header', async () => {
    const door = await openDoor(depsOf({ config }))
    const proxied = (url: string) => curl('-i', '-x', door.url(), url)
    expect((await proxied('http://evil.example/health')).stdout.toString()).toMatch(/^HTTP\/1\.1 421 /)
    expect((await proxied('http://localhost/health?')).stdout.toString()).toMatch(/^HTTP\/1\.1 200 /)
  })
})

test('elsewhere any name is right, until the configuration names some', async () => {
  const listen = { host: '0.0.0.0', port: 0 }
  const any = await openDoor(depsOf({ config }), { listen, tls: 'terminated-upstream' })
  expect(await answer(`${any.url()}/health`, 'Host: node-1.example')).toEqual({ status: 200 })
  const named = await openDoor(depsOf({ config }), { listen, tls: 'terminated-upstream', hosts: ['node-1.example'] })
  expect(await answer(`${named.url()}/health`, 'Host: node-1.example')).toEqual({ status: 200 })
  expect(await answer(`${named.url()}/health`, 'Host: evil.example')).toEqual(wrongHost)
})

describe('a page of another site', () => {
  const collect = () => Promise.reject(new Error('it collects'))

  test.each([
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Site: same-site',
    'Origin: https://evil.example',
    'Origin: null',
    'Origin: http://localhost:1',
    'Origin: http://localhost',
  ])('cannot start a bundle: %s', async (header) => {
    const door = await openDoor(depsOf({ config, collect }))
    expect(await answer(`${door.url()}/debug-package`, header)).toEqual(crossSite)
  })

  test('is told from this site, from the address bar, and from programs with a token', async () => {
    const door = await openDoor(depsOf({ config }))
    const host = new URL(door.url()).host
    const meant = [
      ['Sec-Fetch-Site: none'],
      ['Sec-Fetch-Site: same-origin', `Origin: http://${host}`],
      [`Origin: https://${host}`],
      ['Origin: https://plane.example', 'Sec-Fetch-Site: cross-site', 'Authorization: Bearer x'],
    ]
    for (const headers of meant) expect(await answer(`${door.url()}/health`, ...headers)).toEqual({ status: 200 })
  })

  test('is not helped by a password that the browser has kept', async () => {
    const door = await openDoor(depsOf({ config, collect }))
    const headers = ['Sec-Fetch-Site: cross-site', 'Authorization: Basic YTpi']
    expect(await answer(`${door.url()}/debug-package`, ...headers)).toEqual(crossSite)
  })
})

test('no browser reaches the unix socket, so neither is looked at there', async () => {
  const doors = await openDoors(depsOf())
  const local = ['--unix-socket', doors.socket, '-H', 'Host: anything', '-H', 'Sec-Fetch-Site: cross-site']
  expect((await curl('-f', ...local, 'http://localhost/debug-package')).stdout.toString()).toBe('bundle')
  await doors.close()
})
