import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { buildApp } from '../../src/http/app.ts'
import type { AppDeps } from '../../src/http/app.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import type { Doors } from '../helpers/http.ts'

const config = { ...depsOf().config, auth: 'none' as const }

async function ask(method: 'GET' | 'HEAD' | 'POST' | 'DELETE', url: string, overrides: Partial<AppDeps> = { config }) {
  const app = await buildApp(depsOf(overrides))
  const response = await app.inject({ method, url })
  await app.close()
  return response
}

describe('errors are problem documents with a stable code', () => {
  test('an unknown route is told those that exist', async () => {
    const response = await ask('GET', '/debug')
    expect(response.statusCode).toBe(404)
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(response.json()).toEqual({
      type: 'urn:diagd:error:not-found',
      title: 'There is nothing here',
      status: 404,
      code: 'not-found',
      detail:
        'the routes are: GET, HEAD /health; HEAD, GET /debug-package; POST, GET /events; GET /events/export; GET /metrics; GET /metrics/export; GET /metrics/range; GET /boot; GET /containers; GET /system-info; GET /logs; GET /logs/stream; POST, GET /uploads; GET /uploads/:id',
    })
  })

  test('another method is told those that apply', async () => {
    const response = await ask('POST', '/health?x')
    expect(response.statusCode).toBe(405)
    expect(response.headers.allow).toBe('GET, HEAD')
    expect(response.json()).toMatchObject({
      code: 'method-not-allowed',
      detail: 'POST does not apply here; accepted: GET, HEAD',
    })
  })

  test('a bad parameter is named, with what is accepted', async () => {
    const response = await ask('GET', '/debug-package?format=zip')
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({
      code: 'bad-parameter',
      parameter: 'format',
      detail: 'format: "zip" is not a format; accepted: tar.gz, tar.zst, tar',
    })
  })

  test.each(['onlyy=kernel', 'only=kernal', '__proto__=1', 'since=%1b%5b2J'])('?%s is refused', async (query) => {
    expect((await ask('GET', `/debug-package?${query}`)).json()).toMatchObject({ status: 400, code: 'bad-parameter' })
  })

  test('a path that cannot be decoded is a bad request', async () => {
    expect((await ask('GET', '/%zz')).json()).toMatchObject({ status: 400, code: 'bad-request' })
  })

  test('a mistake of our own tells the caller nothing of the inside', async () => {
    const health = () => {
      throw new Error('the password is hunter2')
    }
    const response = await ask('GET', '/health', { health })
    expect(response.json()).toMatchObject({ status: 500, code: 'internal', detail: 'the log of diagd has the reason' })
  })

  test('a body over 64 KiB is refused before it is read', async () => {
    const app = await buildApp(depsOf())
    const response = await app.inject({ method: 'POST', url: '/nothing', payload: { text: 'x'.repeat(70_000) } })
    await app.close()
    expect(response.json()).toMatchObject({ status: 413, code: 'body-too-large' })
  })
})

test('HEAD tells the headers of a bundle, and collects nothing', async () => {
  const collect = () => Promise.reject(new Error('it collects'))
  const response = await ask('HEAD', '/debug-package?format=tar.zst', { config, collect })
  expect(response.statusCode).toBe(200)
  expect(response.body).toBe('')
  expect(response.headers).toMatchObject({
    'content-type': 'application/zstd',
    'content-disposition': 'attachment; filename="debug-test-20260615T120000Z-abcdef.tar.zst"',
    'x-diagd-bundle-id': 'debug-test-20260615T120000Z-abcdef',
  })
})

describe('the two doors', () => {
  let doors: Doors | undefined
  afterEach(() => doors?.close())

  test('the unix socket answers everything', async () => {
    doors = await openDoors(depsOf())
    const { stdout } = await curl('-f', '--unix-socket', doors.socket, 'http://localhost/debug-package')
    expect(stdout.toString()).toBe('bundle')
  })

  test('TCP answers /health only to who has no credential, and says how to get the rest', async () => {
    doors = await openDoors(depsOf())
    expect(JSON.parse((await curl('-f', `${doors.tcp}/health`)).stdout.toString())).toEqual({ status: 'ok' })
    for (const path of ['/debug-package', '/debug-package?format=zip']) {
      const { stdout } = await curl('-i', doors.tcp + path)
      const [head, body] = stdout.toString().split('\r\n\r\n') as [string, string]
      expect(head).toContain('HTTP/1.1 401')
      expect(head.toLowerCase()).toContain('www-authenticate:')
      expect(JSON.parse(body)).toMatchObject({
        code: 'unauthorized',
        detail: expect.stringMatching(/curl -H @FILE.*curl --unix-socket \/run\/diagd\/diagd\.sock .*DIAGD_AUTH=none/),
      })
    }
    const head = await curl('-I', `${doors.tcp}/debug-package`)
    expect(head.stdout.toString()).toContain('HTTP/1.1 401')
  })

  test('no header makes TCP the local door', async () => {
    doors = await openDoors(depsOf())
    const headers = ['-H', 'Host: localhost', '-H', 'X-Forwarded-For: 127.0.0.1', '-H', 'Forwarded: for=unix']
    expect((await curl('-i', ...headers, `${doors.tcp}/debug-package`)).stdout.toString()).toContain('HTTP/1.1 401')
  })

  test('TCP answers everything when the configuration says so', async () => {
    doors = await openDoors(depsOf({ config }))
    expect((await curl('-f', `${doors.tcp}/debug-package`)).stdout.toString()).toBe('bundle')
  })

  test('what is not HTTP gets an answer and no more', async () => {
    doors = await openDoors(depsOf())
    const socket = connect(doors.socket)
    socket.end('what is this\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /)
  })
})
