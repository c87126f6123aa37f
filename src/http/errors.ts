/** Every refusal over HTTP, as application/problem+json (RFC 9457) with a code that stays. docs/errors.md has the same table. */
import type { FastifyError, FastifyReply } from 'fastify'
import { UsageError } from '../collect/request.ts'

export const ERRORS = {
  'bad-parameter': { status: 400, title: 'A parameter cannot be understood' },
  'bad-request': { status: 400, title: 'The request cannot be understood' },
  unauthorized: { status: 401, title: 'This door is locked' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'The method does not apply here' },
  'body-too-large': { status: 413, title: 'The body of the request is too large' },
  'unsupported-media-type': { status: 415, title: 'The type of the body is not understood' },
  'too-many-bundles': { status: 429, title: 'Enough bundles are being made' },
  'bundle-failed': { status: 500, title: 'The bundle could not be started' },
  internal: { status: 500, title: 'diagd made a mistake' },
  'shutting-down': { status: 503, title: 'diagd is shutting down' },
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

/** The one place that turns what was thrown into an answer. */
export function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
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
  return reply
    .code(status)
    .headers(error.headers)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(body)))
}

const BY_STATUS: Record<number, ErrorCode> = {
  413: 'body-too-large',
  415: 'unsupported-media-type',
  503: 'shutting-down',
}

function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown
  if (thrown instanceof UsageError) return new HttpError(thrown.code, thrown.message, { parameter: thrown.parameter })
  const { statusCode = 500, message } = thrown as FastifyError
  if (statusCode >= 400 && statusCode < 500) return new HttpError(BY_STATUS[statusCode] ?? 'bad-request', message)
  if (statusCode === 503) return new HttpError('shutting-down', message)
  // What went wrong inside is for the log, not for the caller.
  return new HttpError('internal', 'the log of diagd has the reason')
}
