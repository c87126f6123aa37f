/** What an S3 says, as a failure. */
import { failed, Failed, retryAfterMs, said } from './failed.ts'
import { networkFailure } from './network-failure.ts'

interface S3Error extends Error {
  readonly Code?: string
  /** Of RequestTimeTooSkewed. */
  readonly ServerTime?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>>; readonly statusCode?: number }
}

export interface S3Facts {
  readonly host: string
  readonly bucket: string
  readonly region: string
  /** Must be in no message, whoever says them. */
  readonly secrets: readonly string[]
}

const EXPIRED = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'InvalidToken',
  'RequestExpired',
])
const REFUSED = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'AllAccessDisabled',
  'InvalidSecurity',
])
const BUSY = new Set(['SlowDown', 'ServiceUnavailable', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded'])
const ELSEWHERE = new Set(['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed'])

export function s3Failure(error: unknown, facts: S3Facts): Failed {
  if (error instanceof Failed) return error
  const found = networkFailure(error, facts.host) ?? answered(error as S3Error, facts)
  const message = facts.secrets.reduce((text, secret) => text.replaceAll(secret, '…'), found.failure.message)
  return new Failed({ ...found.failure, message })
}

function answered(error: S3Error, { host, bucket, region }: S3Facts): Failed {
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode ?? 0
  const headers = error.$response?.headers ?? {}
  const code = error.name
  const what = `${host} answered ${status}${isCode(code) ? ` ${code}` : ''}${words(error)}`
  if (status === 0) return failed('internal', `the upload failed: ${said(`${code}: ${error.message}`)}`)
  if (code === 'RequestTimeTooSkewed') return failed('clock-skew', skew(host, error, headers['date']))
  if (EXPIRED.has(code)) return failed('credentials-expired', what)
  if (code === 'NoSuchBucket') return failed('no-bucket', `${host} has no bucket ${bucket}`)
  if (ELSEWHERE.has(code) || status === 301 || status === 307) {
    const right = headers['x-amz-bucket-region']
    const hint = right === undefined ? '' : `: it is in ${right}`
    return failed('no-bucket', `${host} has no bucket ${bucket} in the region ${region}${hint} (${status} ${code})`)
  }
  if (REFUSED.has(code) || status === 401 || status === 403) return failed('forbidden', what)
  const wait = retryAfterMs(headers['retry-after'])
  const later = wait === undefined ? {} : { retryAfterMs: wait }
  if (BUSY.has(code) || status === 503 || status === 429) return failed('slow-down', what, later)
  if (code === 'EntityTooLarge' || status === 413) return failed('too-large', what)
  if (code === 'RequestTimeout' || status === 408) return failed('connection-lost', what)
  if (status >= 500 && status !== 501) return failed('server-error', what, later)
  if (status < 300)
    return failed('bad-answer', `what ${host} answered makes no sense (${status}): ${said(error.message)}`)
  return failed('bad-answer', what, { permanent: true })
}

/** Where an answer has no code in it, the SDK makes one up of what there is. */
function isCode(name: string): boolean {
  return /^[A-Z][A-Za-z]{2,60}$/.test(name) && !/^(?:Error|SyntaxError|TypeError|Unknown|UnknownError)$/.test(name)
}

function words({ name, message }: S3Error): string {
  const text = said(message.replace(/\s*Deserialization error:.*/s, ''))
  return text === '' || text === name || /^UnknownError$/.test(text) ? '' : `: ${text}`
}

function skew(host: string, { ServerTime: told }: S3Error, date: string | undefined): string {
  const theirs = told instanceof Date ? told.getTime() : Date.parse(typeof told === 'string' ? told : (date ?? ''))
  const apart = Math.round((Date.now() - theirs) / 1000)
  const difference = Number.isNaN(apart)
    ? 'differs'
    : `is ${Math.abs(apart)} s ${apart < 0 ? 'behind' : 'ahead of'} that of ${host}`
  return `${host} refuses requests signed with a wrong time: the clock of this machine ${difference}`
}
