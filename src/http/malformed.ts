/** What never becomes a request: it gets a problem document all the same where one can be said, and the connection ends. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { HttpError } from './errors.ts'
import { HEADER_BYTES, HEADERS } from './limits.ts'
import { problemBytes } from './raw-answer.ts'
import { rawSocketOf } from './raw-socket.ts'
import { resetConnection } from './stream.ts'

/** To read the refusal; closed at once, what the client still sends would reset the connection before it is read. */
const LINGER_MS = 2000

export function answerMalformed(server: Server): void {
  const answered = new WeakSet<Socket>()
  const underWay = countAnswers(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (answered.has(socket)) return
    answered.add(socket)
    const refusal = refusalOf(error)
    // TLS has failed, so the answer takes the way below it.
    const way = error.code === PLAIN_HTTP ? rawSocketOf(socket) : socket
    if (!refusal || !way?.writable) return void socket.destroy()
    // In the midst of another answer nothing can be said.
    if (underWay(socket) > 0) return resetConnection(socket)
    endWith(way, problemBytes(refusal, way instanceof TLSSocket))
  })
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    const refusal = new HttpError('bad-request', 'CONNECT is for proxies, and this is none')
    endWith(socket, problemBytes(refusal, socket instanceof TLSSocket))
  })
}

const PLAIN_HTTP = 'ERR_SSL_HTTP_REQUEST'
const TOO_LARGE = `accepted: at most ${HEADERS} headers, and ${HEADER_BYTES} bytes with the request line`

/** Answers that are not at their end yet, by connection. */
function countAnswers(server: Server): (socket: Socket) => number {
  const counts = new WeakMap<Socket, number>()
  const count = (socket: Socket) => counts.get(socket) ?? 0
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    counts.set(socket, count(socket) + 1)
    response.once('close', () => counts.set(socket, count(socket) - 1))
  })
  return count
}

/** Undefined for what is no HTTP at all: a failed handshake, a connection that broke. */
function refusalOf({ code = '', message }: NodeJS.ErrnoException): HttpError | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return new HttpError('headers-too-large', TOO_LARGE)
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HttpError('request-timeout', 'it did not arrive in time')
  if (code === 'HPE_PAUSED_H2_UPGRADE')
    return new HttpError('http-version', 'HTTP/2 is not spoken here; ask with HTTP/1.1')
  if (code === PLAIN_HTTP) return new HttpError('bad-request', 'this port speaks HTTPS; ask with https://')
  // The parser's own words: they describe, and repeat nothing of the request.
  return code.startsWith('HPE_') ? new HttpError('bad-request', message) : undefined
}

function endWith(socket: Socket, bytes: Buffer): void {
  socket.on('error', () => socket.destroy())
  socket.end(bytes)
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}
