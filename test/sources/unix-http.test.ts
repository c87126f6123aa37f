import { createServer } from 'node:net'
import { chmod, link } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Socket } from 'node:net'
import { getJson, openUnixHttp } from '../../src/sources/unix-http.ts'
import { drained, onRequest, ownFolder, peer, sourceContext } from '../helpers/source.ts'

const head = (status: string, ...headers: string[]) => [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n')
const ok = (body: string) => head('200 OK', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close') + body
const chunked = head('200 OK', 'Transfer-Encoding: chunked')
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

/** A peer that does this with each request. */
async function answering(answer: (socket: Socket) => void) {
  return peer(join(await ownFolder(), 'api.sock'), (socket) => onRequest(socket, () => answer(socket)))
}

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was opened'),
    (error: { outcome: string; message: string }) => error,
  )

describe('the answer of a GET over a unix socket', () => {
  test('is handed over byte by byte, with the socket and path as its origin', async () => {
    const { path } = await answering((socket) => socket.end(ok('{"a":1}')))
    const opened = await openUnixHttp({ socket: path, path: '/info?x=1' }, sourceContext())
    expect(opened.origin).toBe(`unix:${path} /info?x=1`)
    expect(await drained(opened)).toMatchObject({ text: '{"a":1}', end: { outcome: 'ok' } })
  })

  test('ends at the limit of an entry and says so', async () => {
    const { path } = await answering((socket) => socket.end(ok('0123456789')))
    const opened = await openUnixHttp({ socket: path, path: '/' }, sourceContext({ entryBytes: 4 }))
    expect(await drained(opened)).toMatchObject({
      text: '0123',
      end: { outcome: 'partial', detail: expect.stringContaining('more than 4 bytes') as string },
    })
  })

  test('keeps what came when the peer closes half-way', async () => {
    const { path } = await answering((socket) => socket.end(chunked + chunk('first half')))
    const { text, end } = await drained(await openUnixHttp({ socket: path, path: '/' }, sourceContext()))
    expect(text).toBe('first half')
    expect(end).toMatchObject({
      outcome: 'partial',
      message: expect.stringContaining('broke off after 10 bytes') as string,
    })
  })

  test('fails with the status and the message of a refusal', async () => {
    const refusal = '{"message":"No such container: x"}'
    const { path } = await answering((socket) =>
      socket.end(head('404 Not Found', `Content-Length: ${refusal.length}`) + refusal),
    )
    const error = await outcome(openUnixHttp({ socket: path, path: '/containers/x/json' }, sourceContext()))
    expect(error).toMatchObject({
      outcome: 'failed',
      message: `unix:${path} /containers/x/json answered 404: No such container: x`,
    })
  })

  test('fails with the text of a refusal that is not JSON', async () => {
    const { path } = await answering((socket) => socket.end(`${head('502 Bad Gateway')}upstream is gone\n`))
    const error = await outcome(openUnixHttp({ socket: path, path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'failed', message: `unix:${path} / answered 502: upstream is gone` })
  })

  test('fails when the peer does not speak HTTP', async () => {
    const { path } = await answering((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    const error = await outcome(openUnixHttp({ socket: path, path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'failed', message: expect.stringContaining('not HTTP') as string })
  })

  test('fails when the peer closes without a word', async () => {
    const { path } = await answering((socket) => socket.end())
    const error = await outcome(openUnixHttp({ socket: path, path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'failed', message: expect.stringContaining('gave no answer') as string })
  })
})

describe('a socket that cannot be asked is skipped', () => {
  test('when it does not exist', async () => {
    const socket = join(await ownFolder(), 'none.sock')
    const error = await outcome(openUnixHttp({ socket, path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'skipped', message: `${socket} does not exist` })
  })

  test('when nobody listens on it any more', async () => {
    const folder = await ownFolder()
    const server = createServer().listen(join(folder, 'a.sock'))
    await new Promise((resolve) => server.once('listening', resolve))
    // A second name outlives the server's own clean-up.
    await link(join(folder, 'a.sock'), join(folder, 'stale.sock'))
    await new Promise((resolve) => server.close(resolve))
    const error = await outcome(openUnixHttp({ socket: join(folder, 'stale.sock'), path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'skipped', message: `nothing listens on ${join(folder, 'stale.sock')}` })
  })

  test('when we may not connect', async () => {
    const { path } = await answering((socket) => socket.end(ok('secret')))
    await chmod(join(path, '..'), 0o755)
    await chmod(path, 0o600)
    const error = await asNobody(() => outcome(openUnixHttp({ socket: path, path: '/' }, sourceContext())))
    expect(error).toMatchObject({
      outcome: 'skipped',
      message: `permission denied on ${path}: add the user to its group`,
    })
  })
})

describe('waiting', () => {
  test('ends for a peer that accepts and never answers', async () => {
    const { path } = await answering(() => {})
    const error = await outcome(openUnixHttp({ socket: path, path: '/info' }, sourceContext({ stallMs: 50 })))
    expect(error).toMatchObject({ outcome: 'timeout', message: `unix:${path} /info said nothing for 50 ms` })
  })

  test('ends for a peer that stalls half-way, and keeps what came', async () => {
    const { path } = await answering((socket) => socket.write(chunked + chunk('first half')))
    const { text, end } = await drained(await openUnixHttp({ socket: path, path: '/' }, sourceContext({ stallMs: 50 })))
    expect(text).toBe('first half')
    expect(end).toMatchObject({ outcome: 'timeout' })
  })

  test('ends for a peer that trickles for ever, but not for a stream', async () => {
    const { path } = await answering((socket) => trickle(socket, 30))
    const limits = { stallMs: 5_000, commandMs: 150 }
    const whole = await drained(await openUnixHttp({ socket: path, path: '/' }, sourceContext(limits)))
    expect(whole.end).toMatchObject({
      outcome: 'timeout',
      message: expect.stringContaining('not complete after 150 ms') as string,
    })
    const stream = await drained(await openUnixHttp({ socket: path, path: '/', stream: true }, sourceContext(limits)))
    expect(stream).toMatchObject({ text: '.'.repeat(30), end: { outcome: 'ok' } })
  })

  test('does not count while the reader takes its time', async () => {
    const { path } = await answering((socket) =>
      socket.end(chunked + chunk('a'.repeat(1_000_000)) + chunk('b') + chunk('')),
    )
    const limits = { stallMs: 100, commandMs: 100 }
    const opened = await openUnixHttp({ socket: path, path: '/' }, sourceContext(limits))
    const first = await opened.chunks.next()
    await pause(300)
    const rest = await drained(opened)
    expect(rest.end).toEqual({ outcome: 'ok' })
    expect((first.value as Buffer).length + rest.bytes.length).toBe(1_000_001)
  })

  test('may be longer for a question that takes the peer long', async () => {
    const { path } = await answering((socket) => void pause(200).then(() => socket.end(ok('{}'))))
    const spec = { socket: path, path: '/system/df', timeoutMs: 10_000 }
    expect(await drained(await openUnixHttp(spec, sourceContext({ stallMs: 20, commandMs: 20 })))).toMatchObject({
      text: '{}',
    })
  })
})

describe('nothing stays open', () => {
  test('when the reader leaves before its first byte', async () => {
    const { path, allClosed } = await answering((socket) => socket.write(chunked + chunk('more')))
    const opened = await openUnixHttp({ socket: path, path: '/' }, sourceContext())
    await opened.chunks.return({ outcome: 'ok' })
    await allClosed()
  })

  test('when the reader leaves half-way', async () => {
    const { path, allClosed } = await answering((socket) => socket.write(chunked + chunk('more')))
    const opened = await openUnixHttp({ socket: path, path: '/' }, sourceContext())
    await opened.chunks.next()
    await opened.chunks.return({ outcome: 'ok' })
    await allClosed()
  })

  test('when the bundle is aborted while the answer is waited for', async () => {
    const abort = new AbortController()
    const { path, allClosed } = await answering(() => abort.abort(new Error('client is gone')))
    const opening = openUnixHttp({ socket: path, path: '/' }, sourceContext({}, { signal: abort.signal }))
    await expect(opening).rejects.toThrow('client is gone')
    await allClosed()
  })

  test('when the bundle is aborted half-way', async () => {
    const abort = new AbortController()
    const { path, allClosed } = await answering((socket) => socket.write(chunked + chunk('more')))
    const opened = await openUnixHttp({ socket: path, path: '/' }, sourceContext({}, { signal: abort.signal }))
    await opened.chunks.next()
    abort.abort(new Error('client is gone'))
    await expect(opened.chunks.next()).rejects.toThrow('client is gone')
    await allClosed()
  })

  test('when the bundle is aborted while nobody reads', async () => {
    const abort = new AbortController()
    const { path, allClosed } = await answering((socket) => socket.write(chunked + chunk('more')))
    await openUnixHttp({ socket: path, path: '/' }, sourceContext({}, { signal: abort.signal }))
    abort.abort(new Error('client is gone'))
    await allClosed()
  })
})

describe('a JSON document', () => {
  test('is parsed', async () => {
    const { path } = await answering((socket) => socket.end(chunked + chunk('[{"Id":') + chunk('"a"}]') + chunk('')))
    expect(await getJson({ socket: path, path: '/' }, sourceContext())).toEqual([{ Id: 'a' }])
  })

  test('is not limited like an entry', async () => {
    const { path } = await answering((socket) => socket.end(ok('{"a":1}')))
    expect(await getJson({ socket: path, path: '/' }, sourceContext({ entryBytes: 1 }))).toEqual({ a: 1 })
  })

  test('fails when it is none', async () => {
    const { path } = await answering((socket) => socket.end(ok('<html>')))
    const error = await outcome(getJson({ socket: path, path: '/' }, sourceContext()))
    expect(error).toMatchObject({ outcome: 'failed', message: `unix:${path} / answered something that is not JSON` })
  })

  test('fails when it is over 16 MiB', async () => {
    const { path } = await answering((socket) => socket.end(ok(`"${'x'.repeat(17 * 1024 * 1024)}"`)))
    const error = await outcome(getJson({ socket: path, path: '/' }, sourceContext()))
    expect(error).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('more than 16777216 bytes') as string,
    })
  })
})

function trickle(socket: Socket, times: number): void {
  socket.write(chunked)
  const timer = setInterval(() => {
    if (times-- > 0) return socket.write(chunk('.'))
    clearInterval(timer)
    socket.end(chunk(''))
  }, 10)
  socket.on('close', () => clearInterval(timer))
}

/** Root may connect to every socket; then the question is asked as somebody else. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid!(65_534)
  try {
    return await work()
  } finally {
    process.seteuid!(0)
  }
}
