import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { AppDeps } from '../../src/http/app.ts'
import { createPlaces } from '../../src/http/places.ts'
import { BUNDLE_ID, curl, depsOf, openDoors, resultOf } from '../helpers/http.ts'
import type { Doors } from '../helpers/http.ts'

type Collect = AppDeps['collect']

let doors: Doors | undefined
afterEach(() => doors?.close())

async function open(collect: Collect, overrides: Partial<AppDeps> = {}): Promise<Doors> {
  const config = { ...depsOf().config, auth: 'none' as const }
  doors = await openDoors(depsOf({ config, collect, ...overrides }))
  return doors
}

/** An engine that never has enough: writes until the sink or the signal ends it. */
function endless(ended: (written: number, reason: string) => void): Collect {
  return async ({ sink, signal }) => {
    let written = 0
    try {
      for (;;) {
        signal.throwIfAborted()
        await sink.write(Buffer.alloc(65_536))
        written += 65_536
      }
    } catch (error) {
      ended(written, signal.aborted ? (signal.reason as Error).message : (error as Error).message)
      throw error
    }
  }
}

/** An engine that writes one byte and waits until it is let go or aborted. */
function held() {
  const letGo = Promise.withResolvers<void>()
  const running: (() => void)[] = []
  const collect: Collect = async ({ sink, signal }) => {
    await sink.write(Buffer.from('x'))
    running.shift()?.()
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    await Promise.race([letGo.promise, aborted])
    return resultOf(1)
  }
  const begun = () => new Promise<void>((resolve) => running.push(resolve))
  return { collect, begun, letGo: letGo.resolve }
}

/** Whatever the door: both ways of being cut off have to be an error to curl. */
const ways = [
  ['the unix socket', (at: Doors) => ['--unix-socket', at.socket, 'http://localhost/debug-package']],
  ['TCP', (at: Doors) => [`${at.tcp}/debug-package`]],
] as const

describe.each(ways)('through %s', (_, url) => {
  test('a bundle arrives as it is written, under its name', async () => {
    const at = await open(async ({ sink }) => {
      for (let part = 0; part < 100; part++) await sink.write(Buffer.alloc(100_000, part))
      return resultOf(1e7)
    })
    const { code, stdout } = await curl('-fi', ...url(at))
    expect(code).toBe(0)
    const split = stdout.indexOf('\r\n\r\n')
    const head = stdout.subarray(0, split).toString().toLowerCase()
    expect(head).toContain('http/1.1 200')
    expect(head).toContain('content-type: application/gzip')
    expect(head).toContain(`content-disposition: attachment; filename="${BUNDLE_ID.toLowerCase()}.tar.gz"`)
    expect(head).toContain(`x-diagd-bundle-id: ${BUNDLE_ID.toLowerCase()}`)
    expect(head).toContain('cache-control: no-store, no-transform')
    expect(head).toContain('x-accel-buffering: no')
    expect(head).not.toContain('content-length')
    const body = Buffer.concat(Array.from({ length: 100 }, (_, part) => Buffer.alloc(100_000, part)))
    expect(stdout.subarray(split + 4).equals(body)).toBe(true)
  })

  test('the wish reaches the engine, with the name that the answer has', async () => {
    const seen: unknown[] = []
    const at = await open(async ({ request, bundleId, sink }) => {
      seen.push(bundleId, request.only, request.format)
      await sink.write(Buffer.from('x'))
      return resultOf(1)
    })
    const [last, ...args] = url(at).toReversed()
    await curl('-f', ...args.toReversed(), `${last}?only=kernel&format=tar`)
    expect(seen).toEqual([BUNDLE_ID, ['kernel'], 'tar'])
  })

  test('an engine that fails before the first byte is a proper error', async () => {
    const at = await open(() => Promise.reject(new Error('no memory')))
    const { stdout } = await curl('-i', ...url(at))
    expect(stdout.toString()).toContain('HTTP/1.1 500')
    expect(stdout.toString()).toContain('"code":"bundle-failed"')
    expect(stdout.toString()).toContain('no memory')
  })

  test('an engine that fails on the way cuts the connection, and curl says so', async () => {
    const at = await open(async ({ sink }) => {
      await sink.write(Buffer.from('the first part'))
      throw new Error('the engine broke')
    })
    const { code, stderr } = await curl('-f', ...url(at))
    expect(code, stderr).not.toBe(0)
  })

  test('a client that goes away ends its bundle at once', async () => {
    const ended = Promise.withResolvers<string>()
    const at = await open(endless((_written, reason) => ended.resolve(reason)))
    const child = spawn('curl', ['-s', ...url(at)], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'readable')
    child.kill('SIGKILL')
    expect(await ended.promise).toBe('the client is gone')
  })

  test('a client that goes away while nothing is written ends its bundle, too', async () => {
    const engine = held()
    const reason = Promise.withResolvers<string>()
    const at = await open((bundle) => {
      bundle.signal.addEventListener('abort', () => reason.resolve((bundle.signal.reason as Error).message))
      return engine.collect(bundle)
    })
    const begun = engine.begun()
    const child = spawn('curl', ['-s', ...url(at)], { stdio: 'ignore' })
    await begun
    child.kill('SIGKILL')
    expect(await reason.promise).toBe('the client is gone')
  })

  test('a client that takes no byte loses its place, and what it had was bounded', async () => {
    const ended = Promise.withResolvers<{ written: number; reason: string }>()
    const places = createPlaces(1)
    const at = await open(
      endless((written, reason) => ended.resolve({ written, reason })),
      { stallMs: 100, places },
    )
    const socket = connectTo(at, url(at)).pause()
    socket.write('GET /debug-package HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const { written, reason } = await ended.promise
    expect(reason).toBe('the client took no byte for 0.1 s')
    // What the kernel holds of a socket, and not a whole bundle.
    expect(written).toBeLessThan(16 * 1024 ** 2)
    await places.idle()
    const received = await text(socket).catch(() => 'reset')
    expect(received.endsWith('0\r\n\r\n')).toBe(false)
  })

  test('HTTP/1.0 is refused before anything starts', async () => {
    const at = await open(() => Promise.reject(new Error('it collects')))
    const { stdout } = await curl('-i', '--http1.0', ...url(at))
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 505 /)
    expect(stdout.toString()).toContain('"code":"http-version"')
  })

  test('HEAD answers the headers alone', async () => {
    const at = await open(() => Promise.reject(new Error('it collects')))
    const { code, stdout } = await curl('-fI', ...url(at))
    expect(code).toBe(0)
    expect(stdout.toString()).toContain(BUNDLE_ID)
    expect(stdout.toString().toLowerCase()).not.toContain('content-length')
  })
})

function connectTo(at: Doors, args: readonly string[]) {
  return args.length > 1 ? connect(at.socket) : connect(Number(new URL(at.tcp).port), '127.0.0.1')
}

test('a slow client keeps its place as long as it takes something', async () => {
  // One write that takes longer than the patience with a client that stands still.
  const bytes = 1024 ** 2
  const collect: Collect = async ({ sink }) => {
    await sink.write(Buffer.alloc(bytes))
    return resultOf(bytes)
  }
  const at = await open(collect, { stallMs: 1500 })
  const url = ['--unix-socket', at.socket, 'http://localhost/debug-package']
  const { code, stdout } = await curl('-f', '--limit-rate', '250k', ...url)
  expect(code).toBe(0)
  expect(stdout.length).toBe(bytes)
})

describe('bundles at once', () => {
  test('beyond the limit TCP gets 429 and the local door one more', async () => {
    const engine = held()
    const at = await open(engine.collect)
    const url = `${at.tcp}/debug-package`
    const local = ['--unix-socket', at.socket, 'http://localhost/debug-package']
    const downloads: ReturnType<typeof curl>[] = []
    for (const args of [[url], [url]]) {
      const begun = engine.begun()
      downloads.push(curl('-f', ...args))
      await begun
    }
    const third = await curl('-i', url)
    expect(third.stdout.toString()).toMatch(/^HTTP\/1\.1 429 /)
    expect(third.stdout.toString().toLowerCase()).toContain('retry-after: 10')
    expect(third.stdout.toString()).toContain('"code":"too-many-bundles"')

    const begun = engine.begun()
    downloads.push(curl('-f', ...local))
    await begun
    expect((await curl('-i', ...local)).stdout.toString()).toMatch(/^HTTP\/1\.1 429 /)

    engine.letGo()
    for (const { code } of await Promise.all(downloads)) expect(code).toBe(0)
    expect((await curl('-f', url)).code).toBe(0)
  })

  test('a bundle that failed gives its place back', async () => {
    const places = createPlaces(1)
    const at = await open(() => Promise.reject(new Error('no')), { places })
    for (let time = 0; time < 3; time++) {
      expect((await curl('-i', `${at.tcp}/debug-package`)).stdout.toString()).toContain('bundle-failed')
    }
    expect(places.running).toBe(0)
  })
})

test('two requests on one connection are two bundles', async () => {
  const at = await open(depsOf().collect)
  const socket = connect(at.socket)
  socket.write(
    'GET /debug-package HTTP/1.1\r\nHost: a\r\n\r\nGET /debug-package HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  )
  expect((await text(socket)).match(/6\r\nbundle\r\n0\r\n/g)).toHaveLength(2)
})

test('when diagd shuts down a running bundle is cut, and the next is told to come again', async () => {
  const closing = new AbortController()
  const engine = held()
  const at = await open(engine.collect, { closing: closing.signal })
  const begun = engine.begun()
  const download = curl('-f', `${at.tcp}/debug-package`)
  await begun
  closing.abort(new Error('diagd is shutting down'))
  expect((await download).code).not.toBe(0)
})
