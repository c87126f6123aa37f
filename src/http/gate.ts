/** What every request passes before the routes see it. It knows the door, and nothing of what lies behind. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { HttpError } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { checkHost, checkSite } from './host-check.ts'
import { REQUESTS_PER_CONNECTION, URL_BYTES } from './limits.ts'
import { answerProblem } from './raw-answer.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface GateOptions {
  /** Browsers reach TCP, and no unix socket. */
  readonly door: 'tcp' | 'local'
  /** Names that the header Host may have; undefined: any. */
  readonly hosts?: readonly string[] | undefined
}

export function gate(handler: Handler, options: GateOptions): Handler {
  const asked = new WeakMap<Socket, number>()
  return (request, response) => {
    const { socket } = request
    const count = (asked.get(socket) ?? 0) + 1
    asked.set(socket, count)
    // Sent ahead without waiting for the answer that says it is the last one, and ends the connection: no more is read.
    if (count > REQUESTS_PER_CONNECTION) return void socket.pause()
    if (count === REQUESTS_PER_CONNECTION) response.setHeader('connection', 'close')
    for (const [name, value] of Object.entries(answerHeaders(socket instanceof TLSSocket))) {
      response.setHeader(name, value)
    }
    try {
      check(request, options)
    } catch (error) {
      return answerProblem(response, error as HttpError)
    }
    handler(request, response)
  }
}

/** @throws HttpError */
function check(request: IncomingMessage, { door, hosts }: GateOptions): void {
  const { httpVersion, headers, headersDistinct } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new HttpError('http-version', `HTTP/${httpVersion} is not spoken here; ask with HTTP/1.1`)
  }
  if (request.url!.length > URL_BYTES) {
    throw new HttpError('url-too-long', `it has ${request.url!.length} bytes; accepted: at most ${URL_BYTES}`)
  }
  if ((headersDistinct.host?.length ?? 0) > 1) throw new HttpError('bad-request', 'there is more than one header Host')
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new HttpError('bad-request', 'the header Host is missing; HTTP/1.1 needs it')
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new HttpError('bad-request', 'the header Expect is not understood; accepted: 100-continue')
  }
  const authority = takeAuthority(request)
  if (door === 'local') return
  if (hosts) for (const host of [headers.host, authority]) if (host !== undefined) checkHost(host, hosts)
  checkSite(request)
}

/** `GET http://HOST/path`, as to a proxy: the routes get the path, and HOST is held to be what the header Host is. */
function takeAuthority(request: IncomingMessage): string | undefined {
  const url = request.url!
  if (url.startsWith('/') || url === '*') return undefined
  const match = /^https?:\/\/([^/?#]+)([/?].*)?$/is.exec(url)
  if (!match)
    throw new HttpError('bad-request', 'the target of the request is neither a path nor a URL of http or https')
  const rest = match[2] ?? '/'
  request.url = rest.startsWith('/') ? rest : `/${rest}`
  return match[1]
}
