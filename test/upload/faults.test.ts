import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startSending, type SendOptions } from '../../src/upload/send/sending.ts'
import { describeWithCeph } from '../helpers/ceph.ts'
import { answerOf, openFaultProxy, type Fault } from '../helpers/fault-proxy.ts'
import { bytesOf, jobOf, keysOf, leftovers, MIB, objectOf, QUICK, s3Target, sent } from '../helpers/upload.ts'

const PART_2 = /^PUT .*partNumber=2/
const SOME = 100_000

/** The first so many requests that are like this. */
function first(like: RegExp, fault: Fault, times = 1) {
  return (request: string, before: number) => (like.test(request) && before < times ? fault : undefined)
}

function slowDown(retryAfter: string): Fault {
  const body = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
  return { kind: 'answer', text: answerOf('503 Slow Down', { 'retry-after': retryAfter }, body) }
}

describeWithCeph('an upload over a bad line', (ceph) => {
  test.for([
    ['cut off in the middle', { kind: 'cut', afterBytes: 2 * MIB }],
    ['told to slow down', slowDown('0')],
    ['answered with an error of the server', { kind: 'answer', text: answerOf('500 Oops', {}, '<html>oops</html>') }],
    ['not answered, though it arrived', { kind: 'lose-answer' }],
  ] as const)('a part that is %s is sent again, and only that', async ([, fault]) => {
    const proxy = await openFaultProxy(ceph().port, first(PART_2, fault))
    const bytes = bytesOf(12 * MIB)
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    expect(await sent(job, bytes)).toMatchObject({ sent: { sizeBytes: bytes.length, verified: true } })
    const parts = proxy.requests.flatMap((request) => /partNumber=\d+/.exec(request)?.[0] ?? [])
    expect(parts.sort()).toEqual(['partNumber=1', 'partNumber=2', 'partNumber=2', 'partNumber=3'])
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
    expect(await leftovers(ceph())).toEqual([])
  })

  test.for([
    ['the connection breaks each time', { kind: 'cut', afterBytes: SOME }, 'connection-lost'],
    ['nothing is taken any more', { kind: 'stall', afterBytes: SOME }, 'stalled'],
    ['nothing is answered', { kind: 'silence' }, 'stalled'],
    ['it is told to slow down each time', slowDown('0'), 'slow-down'],
    ['the server fails each time', { kind: 'answer', text: answerOf('500 Oops', {}, '') }, 'server-error'],
    ['the answer is no HTTP', { kind: 'answer', text: 'hello, this is SMTP\r\n\r\n' }, 'bad-answer'],
  ] as const)('where %s it ends with that, and nothing is left', async ([, fault, kind]) => {
    const proxy = await openFaultProxy(ceph().port, first(PART_2, fault, 99))
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    // Long for a loaded machine, and a whole minute where it is about something else.
    const options: SendOptions = kind === 'stalled' ? { ...QUICK, limits: { ...QUICK.limits, stallMs: 2000 } } : QUICK
    const failure = await sent(job, bytesOf(12 * MIB), options)
    expect(failure).toMatchObject({ failure: { kind, permanent: false } })
    expect(proxy.requests.filter((request) => PART_2.test(request))).toHaveLength(kind === 'stalled' ? 2 : 5)
    // The abort is one request, and it is the last.
    expect(proxy.requests.map((request) => request.split(' ')[0]).indexOf('DELETE')).toBe(proxy.requests.length - 1)
    expect(await leftovers(ceph())).toEqual([])
    expect(await keysOf(ceph(), job.key)).toEqual([])
  })

  test('a server that asks for more patience than an upload has is named with it', async () => {
    const proxy = await openFaultProxy(ceph().port, first(/^PUT/, slowDown('3600'), 99))
    const failure = await sent(jobOf(s3Target(ceph(), { endpoint: proxy.endpoint })), bytesOf(SOME))
    expect(failure).toMatchObject({ failure: { kind: 'slow-down', retryAfterMs: 3_600_000, permanent: false } })
    expect(proxy.requests).toHaveLength(1)
  })

  test('an answer of HTML, and one that is cut, are bad answers', async () => {
    for (const text of [
      answerOf('200 OK', { 'content-type': 'text/html' }, '<html><body>Please log in'),
      answerOf('200 OK', {}, '<InitiateMultipartUploadResult><UploadId>abc'),
    ]) {
      const proxy = await openFaultProxy(ceph().port, first(/^POST .*uploads/, { kind: 'answer', text }, 99))
      const failure = await sent(jobOf(s3Target(ceph(), { endpoint: proxy.endpoint })), bytesOf(6 * MIB))
      expect(failure).toMatchObject({ failure: { kind: 'bad-answer' } })
    }
  })

  test('the answer to the beginning is lost: what it began is removed with the rest', async () => {
    const proxy = await openFaultProxy(ceph().port, first(/^POST .*uploads/, { kind: 'lose-answer' }))
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    expect(await sent(job, bytesOf(6 * MIB))).toMatchObject({ sent: { verified: true } })
    expect(await leftovers(ceph())).toEqual([])
  })

  test('the answer to the end is lost: it has arrived all the same', async () => {
    const proxy = await openFaultProxy(ceph().port, first(/^POST .*uploadId/, { kind: 'lose-answer' }))
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    expect(await sent(job, bytesOf(6 * MIB))).toMatchObject({ sent: { verified: true } })
  })

  test('the answer to the end is lost, and the end is not known any more: what is there is what counts', async () => {
    const body = '<Error><Code>NoSuchUpload</Code><Message>It is not there.</Message></Error>'
    const gone: Fault = { kind: 'answer', text: answerOf('404 Not Found', {}, body) }
    const proxy = await openFaultProxy(ceph().port, (request, before) => {
      if (!/^POST .*uploadId/.test(request)) return undefined
      return before === 0 ? { kind: 'lose-answer' } : gone
    })
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    expect(await sent(job, bytesOf(6 * MIB))).toMatchObject({ sent: { verified: true } })
  })

  test('an object that is not what was sent is not verified', async () => {
    const head = answerOf('200 OK', {}, '').replace('content-length: 0', 'content-length: 7')
    const proxy = await openFaultProxy(ceph().port, first(/^HEAD/, { kind: 'answer', text: head }))
    const failure = await sent(jobOf(s3Target(ceph(), { endpoint: proxy.endpoint })), bytesOf(SOME))
    expect(failure).toMatchObject({
      failure: { kind: 'not-verified', message: expect.stringContaining('7 bytes, 100000 were sent') as string },
    })
  })

  test('where it may only write, it says that nobody has looked', async () => {
    const head = { kind: 'answer', text: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n' } as const
    const proxy = await openFaultProxy(ceph().port, first(/^HEAD/, head))
    expect(await sent(jobOf(s3Target(ceph(), { endpoint: proxy.endpoint })), bytesOf(SOME))).toMatchObject({
      sent: { verified: false, notes: [expect.stringContaining('may not be read')] },
    })
  })

  test('a slow target is a slow sink: no more is taken than 32 MiB and what the pipe holds', async () => {
    const proxy = await openFaultProxy(ceph().port, first(/^PUT/, { kind: 'stall', afterBytes: SOME }, 99))
    const target = s3Target(ceph(), { endpoint: proxy.endpoint })
    const sending = startSending(jobOf(target), { ...QUICK, limits: { ...QUICK.limits, stallMs: 1500 } })
    const chunk = bytesOf(MIB)
    let written = 0
    await expect(
      (async () => {
        for (; written < 150 * MIB; written += MIB) await sending.sink.write(chunk)
      })(),
    ).rejects.toThrow('took nothing and answered nothing')
    expect(written).toBeLessThanOrEqual(34 * MIB)
    expect(await sending.end()).toMatchObject({ failure: { kind: 'stalled' } })
    expect(await leftovers(ceph())).toEqual([])
  })

  test('when diagd is killed its child ends, and what it left is removed next time', async () => {
    const proxy = await openFaultProxy(ceph().port, first(PART_2, { kind: 'stall', afterBytes: SOME }, 99))
    const job = jobOf(s3Target(ceph(), { endpoint: proxy.endpoint }))
    const script = fileURLToPath(new URL('dying-parent.ts', import.meta.url))
    const parent = spawn(process.execPath, [script, JSON.stringify({ job, options: QUICK })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const stalled = proxy.next(PART_2)
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const { pid, multipartId } = JSON.parse(line.toString()) as { pid: number; multipartId: string }
    await stalled
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
    expect(await leftovers(ceph())).toEqual([multipartId])
    const again = { ...job, target: s3Target(ceph()), stale: { key: job.key, multipartId } }
    expect(await sent(again, bytesOf(SOME))).toMatchObject({ sent: { verified: true } })
    expect(await leftovers(ceph())).toEqual([])
  })
})

/** A zombie has ended, too: its new parent may never ask for it. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
