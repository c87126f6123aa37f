import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRORS } from '../../src/http/errors.ts'
import { CONNECTIONS, CONNECTIONS_PER_ADDRESS, HEADERS, REQUESTS_PER_CONNECTION } from '../../src/http/limits.ts'
import { depsOf, openDoors, resultOf } from '../helpers/http.ts'
import type { Doors } from '../helpers/http.ts'
import { openDoor } from '../helpers/tls.ts'

let doors: Doors
const sockets: Socket[] = []

beforeEach(async () => {
  doors = await openDoors(depsOf())
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await doors.close()
})

function open(door: 'tcp' | 'local', from?: string): Socket {
  const to = { port: Number(new URL(doors.tcp).port), host: '127.0.0.1' }
  const socket = door === 'local' ? connect(doors.socket) : connect(from ? { ...to, localAddress: from } : to)
  sockets.push(socket.on('error', () => {}))
  return socket
}

/** Everything that comes back on a connection of its own. */
async function raw(door: 'tcp' | 'local', bytes: string): Promise<string> {
  const socket = open(door)
  socket.write(bytes, 'latin1')
  return text(socket)
}

const get = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n')

const every: [what: string, bytes: string, status: number][] = [
  ['an answer', get('/health'), 200],
  ['a locked route', get('/debug-package'), 401],
  ['no route', get('/nothing'), 404],
  ['a path that cannot be decoded', get('/%zz'), 400],
  ['another method', get('/health').replace('GET', 'DELETE'), 405],
  ['a preflight', get('/debug-package', 'Origin: http://localhost').replace('GET', 'OPTIONS'), 405],
  ['too long an address', get(`/${'a'.repeat(9000)}`), 414],
  ['headers too large', get('/health', `X: ${'a'.repeat(20_000)}`), 431],
  ['too many headers', get('/health', ...Array.from({ length: HEADERS }, () => 'a: b')), 431],
  ['two hosts', get('/health', 'Host: localhost'), 400],
  ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['another expectation', get('/health', 'Expect: 200-ok'), 400],
  ['no HTTP', 'what is this\r\n\r\n', 400],
  ['TLS', '\u0016\u0003\u0001\u0002\0\u0001\0', 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['HTTP/3.7', 'GET /health HTTP/3.7\r\nHost: localhost\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /health\r\n\r\n', 505],
  ['a proxy that is none', 'CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
  ['two lengths', get('/health', 'Content-Length: 1', 'Content-Length: 2'), 400],
  ['a length and chunks', get('/health', 'Content-Length: 1', 'Transfer-Encoding: chunked'), 400],
]

describe.each(['tcp', 'local'] as const)('through %s', (door) => {
  const locked = (status: number) => (door === 'local' && status === 401 ? 200 : status)

  test.each(every)('%s has all headers of an answer, and no other', async (_, bytes, status) => {
    const answer = await raw(door, bytes)
    const [head, body] = answer.split('\r\n\r\n') as [string, string]
    const [line, ...fields] = head.split('\r\n') as [string, ...string[]]
    expect(line).toMatch(new RegExp(`^HTTP/1\\.1 ${locked(status)} `))
    const headers = Object.fromEntries(fields.map((field) => field.toLowerCase().split(': ') as [string, string]))
    expect(headers).toMatchObject({
      'cache-control': 'no-store, no-transform',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    const names = Object.keys(headers)
    expect(names.filter((name) => /^(access-control-|server$|x-powered|strict-transport)/.test(name))).toEqual([])
    if (locked(status) === 200) return
    expect(headers['content-type']).toBe('application/problem+json')
    const problem = JSON.parse(body) as { code: keyof typeof ERRORS; status: number }
    expect(ERRORS[problem.code].status).toBe(status)
    expect(problem.status).toBe(status)
  })

  test('a refusal arrives whole though the client still sends', async () => {
    const socket = open(door)
    socket.write(`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(1024 ** 2)}`)
    expect(await text(socket)).toContain('"code":"headers-too-large"')
  })

  test('what cannot be understood after a request cuts the answer to it, and is not mixed into it', async () => {
    const socket = open(door)
    socket.write(`${get('/health').replace('Connection: close\r\n', '')}nonsense\r\n\r\n`)
    const answer = await text(socket).catch(() => '')
    expect(answer.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThan(3)
  })

  test('a client that waits for leave to send its body gets it, and not in the midst of an answer', async () => {
    const asking = 'POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n'
    expect(await raw(door, `${asking}Connection: close\r\n\r\nx`)).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 404 /,
    )
    const both = await raw(door, `${get('/health').replace('close', 'keep-alive')}${asking}Connection: close\r\n\r\nx`)
    expect(both).not.toMatch(/\r\n\r\nHTTP\/1\.1 100/)
    expect(both).toMatch(/"code":"not-found"[^{}]+\}$/)
  })

  test(`request ${REQUESTS_PER_CONNECTION} is the last one of a connection`, async () => {
    const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const answers = await raw(door, request.repeat(REQUESTS_PER_CONNECTION + 50))
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(REQUESTS_PER_CONNECTION)
    expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(REQUESTS_PER_CONNECTION)
    expect(answers.match(/connection: close/gi)).toHaveLength(1)
  })
})

/** True when it is taken, false when it is turned away. */
async function answered(socket: Socket): Promise<boolean> {
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const taken = once(socket, 'data').then(() => true)
  return Promise.race([taken, once(socket, 'close').then(() => false)]).catch(() => false)
}

const many = async (count: number, door: 'tcp' | 'local', from?: string) => {
  const taken: boolean[] = []
  for (let number = 0; number < count; number++) taken.push(await answered(open(door, from)))
  return taken.filter(Boolean).length
}

describe('connections at once', () => {
  test('one address gets no more than its share, and another still gets in', async () => {
    expect(await many(CONNECTIONS_PER_ADDRESS + 4, 'tcp', '127.0.0.2')).toBe(CONNECTIONS_PER_ADDRESS)
    expect(await many(1, 'tcp', '127.0.0.3')).toBe(1)
    sockets[0]!.destroy()
    await once(sockets[0]!, 'close')
    // The server hears of it a moment later.
    while (!(await answered(open('tcp', '127.0.0.2'))));
  })

  test('all places of TCP taken leave the unix socket alone', async () => {
    for (let address = 2; address < 6; address++) await many(CONNECTIONS_PER_ADDRESS, 'tcp', `127.0.0.${address}`)
    expect(await many(1, 'tcp', '127.0.0.9')).toBe(0)
    expect(await many(CONNECTIONS + 1, 'local')).toBe(CONNECTIONS)
  })
})

test('what is sent ahead beyond the last request of a connection starts nothing', async () => {
  const collect = () => Promise.reject(new Error('it collects'))
  const errors: unknown[] = []
  const logger = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) })
  const door = await openDoor(depsOf({ collect, logger, config: { ...depsOf().config, auth: 'none' } }))
  const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const socket = connect(door.port(), '127.0.0.1')
  sockets.push(socket)
  socket.write(request.repeat(REQUESTS_PER_CONNECTION) + request.replace('/health', '/debug-package'))
  expect((await text(socket)).match(/HTTP\/1\.1 /g)).toHaveLength(REQUESTS_PER_CONNECTION)
  expect(errors.filter((line) => String(line).includes('the engine failed'))).toEqual([])
})

test('a request that takes too long is told so, and cut where an answer is under way', async () => {
  const letGo = Promise.withResolvers<void>()
  const door = await openDoor(
    depsOf({
      config: { ...depsOf().config, auth: 'none' },
      async collect({ sink }) {
        await sink.write(Buffer.from('begun'))
        await letGo.promise
        return resultOf(5)
      },
    }),
  )
  // Node looks every 5 s, whatever the limit.
  Object.assign(door.server()!, { headersTimeout: 50, requestTimeout: 50 })
  const ask = async (bytes: string) => {
    const socket = connect(door.port(), '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    socket.write(bytes)
    let answer = ''
    for await (const part of socket.setEncoding('latin1')) answer += part as string
    return answer
  }
  const cut = ask('GET /debug-package HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n').catch(() => 'reset')
  const answers = [
    '',
    'GET / HTTP/1.1\r\nHost: a',
    'POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n',
  ]
  for (const answer of await Promise.all(answers.map(ask))) {
    expect(answer).toMatch(/HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(answer).toContain('"code":"request-timeout"')
  }
  expect(await cut).not.toContain('408')
  letGo.resolve()
})
