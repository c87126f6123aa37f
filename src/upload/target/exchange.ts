/** One request over HTTP to a URL that somebody handed out, and its answer. Redirects are not followed. */
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { Readable } from 'node:stream'
import { rootCertificates } from 'node:tls'
import { failed } from './failed.ts'

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly stream: Readable; readonly sizeBytes: number }
  /** Trusted beside those that come with the runtime: the storage is somebody else than who hands out its URLs. */
  readonly ca: Buffer | undefined
  readonly connectMs: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A thousand presigned URLs are 1 MiB. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024

/** Rejects with what Node.js says, and where an answer is too long. */
export function exchanged({ method, url, headers, body, ca, connectMs, signal }: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
  const request = url.protocol === 'https:' ? requestSecure : requestPlain
  const length = { 'content-length': String(body?.sizeBytes ?? 0) }
  const asked = request(url, { method, headers: { ...headers, ...length }, signal, agent: false, ...trusted })
  const late = setTimeout(() => {
    asked.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
  }, connectMs)
  asked.on('socket', (socket) => {
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(late))
  })
  asked.on('close', () => clearTimeout(late))
  asked.on('error', reject)
  asked.on('response', (response) => {
    read(response).then((text) => {
      const { statusCode = 0 } = response
      resolve({ status: statusCode, headers: response.headers as Record<string, string>, body: text })
    }, reject)
  })
  if (body === undefined) asked.end()
  else body.stream.on('error', reject).pipe(asked)
  return promise
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_ANSWER_BYTES) throw failed('bad-answer', `the answer has more than ${MOST_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
