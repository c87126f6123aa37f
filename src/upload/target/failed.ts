/** A failure on its way to who wants to know. */
import type { FailureKind, UploadFailure } from '../upload.ts'

export class Failed extends Error {
  readonly failure: UploadFailure

  constructor(failure: UploadFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Trying again as it is cannot help these: somebody has to change something. */
const PERMANENT = new Set<FailureKind>([
  'credentials-missing',
  'credentials-expired',
  'forbidden',
  'no-bucket',
  'clock-skew',
  'tls',
  'too-large',
  'refused-by-control-plane',
])

export function failed(kind: FailureKind, message: string, more: Partial<UploadFailure> = {}): Failed {
  return new Failed({ kind, message, permanent: PERMANENT.has(kind), ...more })
}

/** Of what other people's machines say, for a line of ours. */
const MOST_SAID = 300

export function said(text: string): string {
  const line = text.replaceAll(/[\x00-\x1f\x7f-\x9f\s]+/g, ' ').trim()
  return line.length > MOST_SAID ? `${line.slice(0, MOST_SAID)}…` : line
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,6}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
