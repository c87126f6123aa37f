/** Every refusal over HTTP, as application/problem+json (RFC 9457) with a code that stays. docs/errors.md has the same table. */
import type { FastifyError, FastifyReply } from 'fastify'
import { UsageError } from '../collect/request.ts'

export const ERRORS = {
  'bad-parameter': { status: 400, title: 'A parameter cannot be understood' },
  'bad-request': { status: 400, title: 'The request cannot be understood' },
  'bad-event': { status: 400, title: 'An event cannot be understood' },
  'credential-in-query': { status: 400, title: 'A credential does not belong in a URL' },
  unauthorized: { status: 401, title: 'This door is locked' },
  'invalid-credential': { status: 401, title: 'The credential is not accepted' },
  'insufficient-scope': { status: 403, title: 'The credential is good for something else' },
  'cross-site': { status: 403, title: 'A page of another site asks' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'The method does not apply here' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'uploads-off': { status: 409, title: 'This diagd sends no bundles' },
  'body-too-large': { status: 413, title: 'The body of the request is too large' },
  'url-too-long': { status: 414, title: 'The address of the request is too long' },
  'unsupported-media-type': { status: 415, title: 'The type of the body is not understood' },
  'wrong-host': { status: 421, title: 'This is not the host that was asked for' },
  'too-many-bundles': { status: 429, title: 'Enough bundles are being made' },
  'too-many-exports': { status: 429, title: 'Enough copies of the database are being made' },
  'too-many-readers': { status: 429, title: 'Enough readers of the logs' },
  'too-many-uploads': { status: 429, title: 'Enough bundles wait to be sent' },
  'too-many-tries': { status: 429, title: 'Too many wrong credentials' },
  'headers-too-large': { status: 431, title: 'The headers of the request are too large' },
  'bundle-failed': { status: 500, title: 'The bundle could not be started' },
  'logs-withheld': { status: 500, title: 'The logs cannot be handed over' },
  internal: { status: 500, title: 'diagd made a mistake' },
  'shutting-down': { status: 503, title: 'diagd is shutting down' },
  'not-recording': { status: 503, title: 'This is not recorded now' },
  'keys-unreachable': { status: 503, title: 'The credential cannot be checked now' },
  'http-version': { status: 505, title: 'This needs HTTP/1.1' },
} as const

export type ErrorCode = keyof typeof ERRORS

export class HttpError extends Error {
  override name = 'HttpError'
  readonly code: ErrorCode
  readonly headers: Record<string, string>
  readonly parameter: string | undefined
  constructor(code: ErrorCode, detail: string, options: { headers?: Record<string, string>; parameter?: string } = {}) {
    super(detail)
    this.code = code
    this.headers = options.headers ?? {}
    this.parameter = options.parameter
  }
}

export function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const { status, headers, body } = problemOf(thrown)
  return reply.code(status).headers(headers).send(body)
}

export interface ProblemAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** The one place that turns what was thrown into an answer. */
export function problemOf(thrown: unknown): ProblemAnswer {
  const error = toHttpError(thrown)
  const { status, title } = ERRORS[error.code]
  const { parameter } = error
  const body = {
    type: `urn:diagd:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    parameter,
  }
  const headers = { ...error.headers, 'content-type': 'application/problem+json' }
  return { status, headers, body: Buffer.from(JSON.stringify(body)) }
}

/** Fastify says neither what was sent nor what would do. */
const JSON_ALONE = "the body has to be JSON, and said to be: curl -H 'Content-Type: application/json'"

const BY_STATUS: Record<number, ErrorCode> = {
  413: 'body-too-large',
  503: 'shutting-down',
}

export function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown
  if (thrown instanceof UsageError) return new HttpError(thrown.code, thrown.message, { parameter: thrown.parameter })
  const { statusCode = 500, message } = thrown as FastifyError
  if (statusCode === 415) return new HttpError('unsupported-media-type', JSON_ALONE)
  if (statusCode >= 400 && statusCode < 500) return new HttpError(BY_STATUS[statusCode] ?? 'bad-request', message)
  if (statusCode === 503) return new HttpError('shutting-down', message)
  // What went wrong inside is for the log, not for the caller.
  return new HttpError('internal', 'the log of diagd has the reason')
}
