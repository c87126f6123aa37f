/** Refusals given without Fastify: by the gate in front of it, and for what is not even a request. */
import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { problemOf } from './errors.ts'
import type { HttpError } from './errors.ts'
import { answerHeaders } from './headers.ts'

/** The headers that every answer has are set already. */
export function answerProblem(response: ServerResponse, error: HttpError): void {
  const { status, headers, body } = problemOf(error)
  response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
}

/** A whole answer as bytes for a bare socket, after which nothing follows. */
export function problemBytes(error: HttpError, overTls: boolean): Buffer {
  const { status, headers, body } = problemOf(error)
  const fields = {
    ...answerHeaders(overTls),
    ...headers,
    date: new Date().toUTCString(),
    connection: 'close',
    'content-length': String(body.length),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`), body])
}
