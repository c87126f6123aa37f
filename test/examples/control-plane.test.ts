import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../helpers/commands.ts'
import { endlessNode, expectHeldUp, httpNode, openNode, openPlane, readNothing } from '../helpers/control-plane.ts'
import { BUNDLE_ID, curl, resultOf } from '../helpers/http.ts'

const chunk = Buffer.alloc(64 * 1024, 'x')

/** Asks by hand: what fetch would hide is what this is about. */
async function get(address: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> {
  const asking = request(address, { agent: false, headers, method }).end()
  onTestFinished(() => void asking.destroy())
  asking.on('error', () => {})
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  return answer
}

test('the question goes on as it is, with the credential of the control plane and none of the browser', async () => {
  const asked = Promise.withResolvers<{ url: string; headers: IncomingHttpHeaders }>()
  const node = await httpNode(({ url, headers }, response) => {
    asked.resolve({ url: url!, headers })
    response.writeHead(200, { 'x-diagd-bundle-id': 'one' }).end('bundle')
  })
  const headerFile = join(temporaryFolder(), 'node.header')
  writeFileSync(headerFile, 'Authorization: Bearer of-the-plane\n', { mode: 0o600 })
  const plane = await openPlane({ web: { address: `${node}/gateway/`, headerFile } })
  const browser = {
    authorization: 'Bearer of-the-browser',
    cookie: 'session=1',
    'accept-encoding': 'br',
    range: 'bytes=0-',
  }
  const traced = { accept: 'application/gzip', traceparent: '00-1-2-01', 'x-request-id': 'ticket-17' }
  const answer = await get(`${plane.address('web')}?since=2h&only=a%2Cb&x=%20`, { ...browser, ...traced })
  const { url, headers } = await asked.promise
  expect(url).toBe('/gateway/debug-package?since=2h&only=a%2Cb&x=%20')
  const host = new URL(node).host
  expect(headers).toEqual({ ...traced, authorization: 'Bearer of-the-plane', host, connection: 'close' })
  expect(answer.headers['x-request-id']).toBe('ticket-17')
})

test('a node that fails is asked like every other: bytes come while it still gathers, under its own name', async () => {
  const firstArrived = Promise.withResolvers<void>()
  const { socket } = await openNode({
    async collect({ sink }) {
      await sink.write(Buffer.from('first,'))
      await firstArrived.promise
      await sink.write(Buffer.from('second'))
      return resultOf(12)
    },
  })
  const plane = await openPlane({ web: { address: `unix:${socket}`, state: 'failing' } })
  const answer = await get(plane.address('web'))
  const [first] = (await once(answer, 'data')) as [Buffer]
  firstArrived.resolve()
  const rest = await Array.fromAsync(answer as AsyncIterable<Buffer>)
  expect(Buffer.concat([first, ...rest]).toString()).toBe('first,second')
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store, no-transform',
    'content-disposition': `attachment; filename="${BUNDLE_ID}.tar.gz"`,
    'content-type': 'application/gzip',
    'transfer-encoding': 'chunked',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-diagd-bundle-id': BUNDLE_ID,
  })
  expect(await plane.logged('whole')).toMatchObject({ node: 'web', bytes: 12 })
})

test('HEAD answers the headers, and the node collects nothing', async () => {
  let collected = 0
  const { tcp } = await openNode({ collect: async () => (collected++, resultOf(0)) })
  const plane = await openPlane({ web: tcp })
  const { statusCode, headers } = await get(plane.address('web'), {}, 'HEAD')
  expect({ statusCode, id: headers['x-diagd-bundle-id'], collected }).toEqual({
    statusCode: 200,
    id: BUNDLE_ID,
    collected: 0,
  })
  expect((await get(`${plane.address('web')}?only=nothing`, {}, 'HEAD')).statusCode).toBe(400)
})

test.each(['before the first byte', 'in the middle'])('a browser that leaves %s stops the node', async (when) => {
  const begun = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<void>()
  const { tcp } = await openNode({
    async collect({ sink, signal }) {
      signal.addEventListener('abort', () => stopped.resolve())
      if (when === 'in the middle') await sink.write(chunk)
      begun.resolve()
      await stopped.promise
      throw new Error('stopped')
    },
  })
  const plane = await openPlane({ web: tcp })
  const asking = request(plane.address('web'), { agent: false }).on('error', () => {})
  asking.end()
  if (when === 'in the middle') await once(asking, 'response')
  await begun.promise
  asking.destroy()
  await stopped.promise
  expect((await plane.logged('abandoned')).outcome).toBe('abandoned')
})

test('a browser that does not read holds up the node, and nothing is gathered in between', async () => {
  const { tcp, ended } = await endlessNode()
  const plane = await openPlane({ web: tcp })
  await readNothing(plane.address('web'))
  await expectHeldUp(ended)
})

test('what the node cuts arrives cut', async () => {
  const { tcp } = await openNode({
    async collect({ sink }) {
      await sink.write(chunk)
      throw new Error('broken')
    },
  })
  const plane = await openPlane({ web: tcp })
  const { code } = await curl('-f', '-o', '/dev/null', plane.address('web'))
  expect([18, 56]).toContain(code)
  expect(await plane.logged('cut')).toMatchObject({ node: 'web' })
})

test('a node that falls silent in the middle is cut off, with the reason', async () => {
  const stopped = Promise.withResolvers<void>()
  const { tcp } = await openNode({
    async collect({ sink, signal }) {
      signal.addEventListener('abort', () => stopped.resolve())
      await sink.write(chunk)
      await stopped.promise
      throw new Error('stopped')
    },
  })
  const plane = await openPlane({ web: tcp }, { stallMs: 200 })
  const { code } = await curl('-f', '-o', '/dev/null', plane.address('web'))
  expect([18, 56]).toContain(code)
  await stopped.promise
  expect((await plane.logged('cut')).reason).toContain('the node sent no byte for 0.2 s')
})

test('a node that was taken over gets no page of its own into the control plane', async () => {
  const node = await httpNode((_request, response) => {
    const page = { 'content-type': 'text/html', 'content-disposition': 'inline', 'set-cookie': 'session=theirs' }
    response.writeHead(200, { ...page, 'x-diagd-bundle-id': 'one' }).end('<script>alert(1)</script>')
  })
  const plane = await openPlane({ web: node })
  const { headers } = await get(plane.address('web'))
  expect(headers['content-type']).toBe('application/octet-stream')
  expect(headers['content-disposition']).toBe('attachment; filename="debug-web.bin"')
  expect(headers['set-cookie']).toBeUndefined()
})

test.each([
  ['by the name of somebody else', '/', { host: 'evil.example' }],
  ['from a page of somebody else', '/api/nodes/web/debug-package', { 'sec-fetch-site': 'cross-site' }],
])('who asks %s is refused, and no node is asked', async (_how, path, headers) => {
  let collected = 0
  const { tcp } = await openNode({ collect: async () => (collected++, resultOf(0)) })
  const plane = await openPlane({ web: tcp })
  const { stdout } = await curl(...Object.entries(headers).flatMap(([k, v]) => ['-H', `${k}: ${v}`]), plane.url + path)
  expect(JSON.parse(stdout.toString())).toMatchObject({ status: 403, code: 'not-ours' })
  expect(collected).toBe(0)
})

test('names of its own are answered', async () => {
  const plane = await openPlane({}, {}, ['debug.example.org'])
  expect((await get(plane.url, { host: 'debug.example.org:8443' })).statusCode).toBe(200)
})

test('the pages show what they are told, and run nothing of it', async () => {
  const plane = await openPlane({ web: { address: 'unix:/run/x.sock', state: '<script>alert(1)</script>' } })
  for (const path of ['/', '/nodes/web']) {
    const { stdout } = await curl('-f', '-i', plane.url + path)
    expect(stdout.toString()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(stdout.toString()).toContain("content-security-policy: default-src 'none'; script-src 'self'")
  }
})
