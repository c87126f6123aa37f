/** Everything that can be in the way of a bundle is told apart: which node, what happened, what to do. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createPlaces } from '../../src/http/places.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { deadAddress, httpNode, openNode, openPlane, rawNode } from '../helpers/control-plane.ts'
import type { Plane } from '../helpers/control-plane.ts'
import { curl, depsOf, resultOf } from '../helpers/http.ts'
import { createAuthority, pem } from '../helpers/tls.ts'

interface Told {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly headers: string
}

/** The problem that a browser gets to see. */
async function told(plane: Plane, query = '', ...args: string[]): Promise<Told> {
  const { stdout } = await curl('-i', ...args, plane.address('web') + query)
  const [headers = '', body = ''] = stdout.toString().split('\r\n\r\n')
  const problem = JSON.parse(body) as Told & { node: string; title: string; advice: string; requestId: string }
  expect(headers).toContain('content-type: application/problem+json')
  expect(headers).toContain(`x-request-id: ${problem.requestId}`)
  expect(headers).toContain(` ${problem.status} `)
  expect(problem).toMatchObject({ node: 'web', title: expect.any(String), advice: expect.any(String) })
  return { ...problem, headers }
}

test('unreachable: nothing listens', async () => {
  const plane = await openPlane({ web: await deadAddress() })
  const { status, code, detail } = await told(plane)
  expect({ status, code }).toEqual({ status: 502, code: 'node-unreachable' })
  expect(detail).toContain('nothing listens')
})

test('unreachable: a name that nobody knows, a socket that is not there', async () => {
  expect(await told(await openPlane({ web: 'http://nowhere.invalid:7433' }))).toMatchObject({
    code: 'node-unreachable',
  })
  const { code, detail } = await told(await openPlane({ web: `unix:${temporaryFolder()}/diagd.sock` }))
  expect(code).toBe('node-unreachable')
  expect(detail).toContain('diagd does not run there')
})

test('timed out: connected, and no answer', async () => {
  const plane = await openPlane({ web: await rawNode(() => {}) }, { firstByteMs: 100 })
  const { status, code, detail } = await told(plane)
  expect({ status, code }).toEqual({ status: 504, code: 'node-timeout' })
  expect(detail).toContain('connected, but no answer within 0.1 s')
})

test('timed out: no connection, for TLS is part of it', async () => {
  const address = (await rawNode(() => {})).replace('http:', 'https:')
  const { code, detail } = await told(await openPlane({ web: address }, { connectMs: 100 }))
  expect(code).toBe('node-timeout')
  expect(detail).toContain('no connection within 0.1 s')
})

test('cut before the answer', async () => {
  const plane = await openPlane({ web: await rawNode((socket) => socket.once('data', () => socket.resetAndDestroy())) })
  expect(await told(plane)).toMatchObject({ status: 502, code: 'node-cut' })
})

test('refused: the node does not know the credential, and the browser is not asked for one', async () => {
  const { tcp } = await openNode({ config: depsOf().config })
  const { status, code, detail, headers } = await told(await openPlane({ web: tcp }))
  expect({ status, code }).toEqual({ status: 502, code: 'node-refused' })
  expect(detail).toContain('answers 401')
  expect(headers.toLowerCase()).not.toContain('www-authenticate')
})

test('what the node says about the question is passed on: a bad parameter', async () => {
  const { tcp } = await openNode()
  const answer = await told(await openPlane({ web: tcp }), '?only=nothing')
  expect(answer).toMatchObject({ status: 400, code: 'bad-parameter', parameter: 'only' })
})

test('what the node says about the moment is passed on: enough bundles, and when to ask again', async () => {
  const places = createPlaces(1)
  places.take('tcp')
  const { tcp } = await openNode({ places })
  const { status, code, headers } = await told(await openPlane({ web: tcp }))
  expect({ status, code }).toEqual({ status: 429, code: 'too-many-bundles' })
  expect(headers).toContain('retry-after: 10')
})

test('a node that fails to begin', async () => {
  const { tcp } = await openNode({ collect: () => Promise.reject(new Error('no memory')) })
  const { status, code, detail } = await told(await openPlane({ web: tcp }))
  expect({ status, code }).toEqual({ status: 502, code: 'node-failed' })
  expect(detail).toContain('no memory')
})

test.each([
  ['another service', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi', 'without X-Diagd-Bundle-Id'],
  ['a login page in between', 'HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n', 'answers 302'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n', 'Expected HTTP/'],
  ['HTTP/1.0 in between', 'HTTP/1.0 200 OK\r\nx-diagd-bundle-id: one\r\n\r\nhalf', 'over HTTP/1.0'],
])('what is no diagd is not passed on: %s', async (_what, answer, detail) => {
  const plane = await openPlane({ web: await rawNode((socket) => socket.once('data', () => socket.end(answer))) })
  const problem = await told(plane)
  expect(problem).toMatchObject({ status: 502, code: 'node-bad-answer' })
  expect(problem.detail).toContain(detail)
})

test('HTTP/1.0 is refused: its end cannot be told from a cut', async () => {
  const { tcp } = await openNode()
  expect(await told(await openPlane({ web: tcp }), '', '--http1.0')).toMatchObject({
    status: 505,
    code: 'http-version',
  })
})

test('a node that cannot prove to be the one gets nothing; with its authority it does', async () => {
  const authority = createAuthority()
  const { certificate, key } = authority.sign('web')
  const headerFile = join(temporaryFolder(), 'web.header')
  writeFileSync(headerFile, 'Authorization: Bearer secret\n')
  const credentials: (string | undefined)[] = []
  const server = createServer({ key: pem(key), cert: pem(certificate) }, ({ headers }, response) => {
    credentials.push(headers.authorization)
    response.writeHead(200, { 'x-diagd-bundle-id': 'one' }).end('bundle')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await told(await openPlane({ web: { address, headerFile } }))).toMatchObject({ code: 'node-untrusted' })
  expect(credentials).toEqual([])
  const plane = await openPlane({ web: { address, headerFile, caFile: authority.certificate } })
  expect((await curl('-f', plane.address('web'))).stdout.toString()).toBe('bundle')
  expect(credentials).toEqual(['Bearer secret'])
})

test('a credential file that is not there, or none, is named by its line, never by its content', async () => {
  const { tcp } = await openNode({ collect: async () => resultOf(0) })
  const headerFile = join(temporaryFolder(), 'web.header')
  const plane = await openPlane({ web: { address: tcp, headerFile } })
  expect(await told(plane)).toMatchObject({ status: 500, code: 'internal', detail: expect.stringContaining('ENOENT') })
  writeFileSync(headerFile, 'Bearer s3cret\n')
  const { detail } = await told(plane)
  expect(detail).toContain('line 1 of its headerFile')
  expect(detail).not.toContain('s3cret')
})

test('a node that is not in the list', async () => {
  const plane = await openPlane({ web: await httpNode(() => {}) })
  const { stdout } = await curl(plane.address('mail'))
  expect(JSON.parse(stdout.toString())).toMatchObject({ status: 404, code: 'node-unknown' })
})
