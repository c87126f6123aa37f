import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseHeaders, send, type SendOptions } from '../../src/otlp/send.ts'
import { startCollector, type Collector } from '../helpers/collector.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { createAuthority } from '../helpers/tls.ts'

const BODY = Buffer.from('what is sent')
const open = new AbortController().signal

const sent = ({ url }: Pick<Collector, 'url'>, over: Partial<SendOptions> = {}, closing = open) =>
  send('metrics', BODY, { endpoint: url, version: '1.2.3', ...over }, closing)

test('protobuf to the path of the signal, behind that of the endpoint', async () => {
  const collector = await startCollector()
  collector.answer(() => ({ status: 200, body: Buffer.from('kept') }))
  expect(await sent(collector)).toEqual({ kind: 'taken', body: Buffer.from('kept') })
  const endpoint = new URL('/api/v1/otlp/', collector.url)
  expect(await send('logs', BODY, { endpoint, version: '1' }, open)).toMatchObject({ kind: 'taken' })
  expect(collector.got.map(({ path }) => path)).toEqual(['/v1/metrics', '/api/v1/otlp/v1/logs'])
  expect(collector.got[0]).toMatchObject({
    body: BODY,
    headers: { 'content-type': 'application/x-protobuf', 'user-agent': 'diagd/1.2.3' },
  })
})

describe('what an answer means', () => {
  test.each([
    [200, { kind: 'taken' }],
    [202, { kind: 'taken' }],
    [400, { kind: 'refused', reason: 'it answered 400', tooLarge: false }],
    [413, { kind: 'refused', tooLarge: true }],
    [500, { kind: 'refused' }],
    [307, { kind: 'refused' }],
    [429, { kind: 'later', reason: 'it answered 429' }],
    [502, { kind: 'later' }],
    [503, { kind: 'later' }],
    [504, { kind: 'later' }],
    // Whoever mends the credential or the address finds everything still there.
    [401, { kind: 'later', retryAfterMs: 60_000 }],
    [403, { kind: 'later', retryAfterMs: 60_000 }],
    [404, { kind: 'later', retryAfterMs: 60_000 }],
  ])('%i', async (status, expected) => {
    const collector = await startCollector()
    collector.answer(() => ({ status, headers: { location: '/elsewhere' } }))
    expect(await sent(collector)).toMatchObject(expected)
    expect(collector.got).toHaveLength(1)
  })

  test.each([
    ['7', 7000, 7000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_500_000, 3_600_000],
    [new Date(Date.now() - 3_600_000).toUTCString(), 0, 0],
  ])('Retry-After: %s', async (value, least, most) => {
    const collector = await startCollector()
    collector.answer(() => ({ status: 503, headers: { 'retry-after': value } }))
    const { retryAfterMs } = (await sent(collector)) as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThanOrEqual(least)
    expect(retryAfterMs).toBeLessThanOrEqual(most)
  })

  test('a Retry-After that is none is not there', async () => {
    const collector = await startCollector()
    collector.answer(() => ({ status: 503, headers: { 'retry-after': 'soon' } }))
    expect(await sent(collector)).toEqual({ kind: 'later', reason: 'it answered 503' })
  })
})

describe('a collector that is not well', () => {
  test('nobody listens', async () => {
    const collector = await startCollector()
    await collector.close()
    expect(await sent(collector)).toMatchObject({ kind: 'later', reason: expect.stringContaining('ECONNREFUSED') })
  })

  test('it breaks the connection', async () => {
    const collector = await startCollector()
    collector.answer(() => 'reset')
    expect(await sent(collector)).toMatchObject({ kind: 'later', reason: expect.stringContaining('ECONNRESET') })
  })

  test('it never answers', async () => {
    const collector = await startCollector()
    collector.answer(() => 'silence')
    expect(await sent(collector, { timeoutMs: 50 })).toEqual({ kind: 'later', reason: 'it did not answer in time' })
  })

  test('it answers a byte at a time, for ever', async () => {
    const collector = await startCollector()
    collector.answer((_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 5)
      response.on('close', () => clearInterval(timer))
      return undefined
    })
    expect(await sent(collector, { timeoutMs: 100 })).toEqual({ kind: 'later', reason: 'it did not answer in time' })
  })

  test('it answers more than anybody wants to keep', async () => {
    const collector = await startCollector()
    collector.answer(() => ({ status: 200, body: Buffer.alloc(100_000) }))
    expect(await sent(collector)).toMatchObject({ kind: 'later', reason: expect.stringContaining('65536 bytes') })
  })

  test('diagd stops meanwhile', async () => {
    const collector = await startCollector()
    const closing = new AbortController()
    collector.answer(() => {
      closing.abort(new Error('diagd is shutting down'))
      return 'silence'
    })
    expect(await sent(collector, {}, closing.signal)).toMatchObject({ kind: 'later' })
  })
})

describe('headers of a file', () => {
  test('are read anew for every request, and a file that is gone is no reason to send without', async () => {
    const collector = await startCollector()
    const headersFile = join(temporaryFolder(), 'headers')
    for (const token of ['one', 'two']) {
      writeFileSync(headersFile, `# ours\nAuthorization: Bearer ${token}\nX-Scope-OrgID: 7\n\n`)
      await sent(collector, { headersFile })
    }
    expect(collector.got.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
    expect(collector.got[0]!.headers['x-scope-orgid']).toBe('7')
    rmSync(headersFile)
    expect(await sent(collector, { headersFile })).toMatchObject({
      kind: 'later',
      reason: expect.stringContaining('ENOENT'),
    })
    expect(collector.got).toHaveLength(2)
  })

  test('cannot change what is sent, nor smuggle another line', async () => {
    expect(parseHeaders('Authorization: Bearer a\r\nB:c')).toEqual({ authorization: 'Bearer a', b: 'c' })
    for (const text of ['Authorization Bearer s3cret', 'a b: s3cret', 'a: s3cret\u0007'])
      expect(() => parseHeaders(text)).toThrow(/^header 1 of headersFile is not "Name: value"$/)
    const collector = await startCollector()
    const headersFile = join(temporaryFolder(), 'headers')
    writeFileSync(headersFile, 'Content-Type: text/plain\nContent-Length: 1\n')
    await sent(collector, { headersFile })
    expect(collector.got[0]).toMatchObject({ body: BODY, headers: { 'content-type': 'application/x-protobuf' } })
  })
})

test('over TLS only to who has a certificate of an authority that is trusted', async () => {
  const authority = createAuthority()
  const pair = authority.sign('collector')
  const collector = await startCollector({ cert: readFileSync(pair.certificate), key: readFileSync(pair.key) })
  expect(await sent(collector)).toMatchObject({ kind: 'later', reason: expect.stringContaining('certificate') })
  expect(await sent(collector, { ca: authority.certificate })).toMatchObject({ kind: 'taken' })
  expect(collector.got).toHaveLength(1)
})
