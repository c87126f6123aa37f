/** What a control plane and the storage behind it say, as a failure. URLs are in no message: who has one may write. */
import type { Answer } from './exchange.ts'
import { failed, Failed, retryAfterMs, said } from './failed.ts'
import { networkFailure } from './network-failure.ts'
import { s3Failure } from './s3-failure.ts'

/** Of an answer that is no success, or of what was thrown. */
export function planeFailure(error: unknown, host: string, secrets: readonly string[] = []): Failed {
  const found = error instanceof Failed ? error : isAnswer(error) ? refusal(error, host) : thrown(error, host)
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), found.failure.message)
  return new Failed({ ...found.failure, message })
}

/** S3 answers in XML, a code and words for it. */
export function storageFailure(error: unknown, host: string): Failed {
  if (!isAnswer(error)) return error instanceof Failed ? error : thrown(error, host)
  const { status, headers, body } = error
  if (status >= 300 && status < 400) return redirect(status, host)
  const [code, message] = ['Code', 'Message'].map((tag) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(body)?.[1])
  const text = `${code ?? ''} ${message ?? ''}`
  if (/expired/i.test(text)) return failed('credentials-expired', `${host} answered ${status}: the URL has expired`)
  const like = Object.assign(new Error(message ?? ''), {
    name: code ?? 'Unknown',
    $metadata: { httpStatusCode: status },
    $response: { headers },
  })
  return s3Failure(like, { host, bucket: 'as the URL names it', region: 'of the URL', secrets: [] })
}

function isAnswer(error: unknown): error is Answer {
  return typeof error === 'object' && error !== null && 'status' in error && 'body' in error
}

function thrown(error: unknown, host: string): Failed {
  return networkFailure(error, host) ?? failed('internal', `the upload failed: ${said((error as Error).message)}`)
}

function redirect(status: number, host: string): Failed {
  return failed('bad-answer', `${host} answered ${status}: redirects are not followed`, { permanent: true })
}

function refusal({ status, headers, body }: Answer, host: string): Failed {
  const what = `${host} answered ${status}${problemOf(body)}`
  const wait = retryAfterMs(headers['retry-after'])
  const later = wait === undefined ? {} : { retryAfterMs: wait }
  if (status >= 300 && status < 400) return redirect(status, host)
  if (status === 429 || status === 503) return failed('slow-down', what, later)
  if (status >= 500) return failed('server-error', what, later)
  return failed('refused-by-control-plane', what)
}

/** RFC 9457. */
function problemOf(body: string): string {
  try {
    const { title, detail } = JSON.parse(body) as { title?: unknown; detail?: unknown }
    const text = typeof detail === 'string' ? detail : typeof title === 'string' ? title : ''
    return text === '' ? '' : `: ${said(text)}`
  } catch {
    return ''
  }
}
