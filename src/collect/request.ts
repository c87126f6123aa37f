/** The one place that reads what is wished for, from a command line or a query string. */
import { LIMITS_GRAMMAR, parseLimits } from '../config/limits.ts'
import { parseRecipients, RECIPIENTS_GRAMMAR } from '../config/recipients.ts'
import type { Recipients } from '../config/recipients.ts'
import type { BundleRequest, Format, Limits } from './types.ts'

export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>

export interface RequestFacts {
  readonly nowMs: number
  /** What `only` and `skip` may name, besides `extras`. */
  readonly collectorIds: readonly string[]
  readonly defaults: Limits
  /** Whom every bundle is encrypted to, whatever is wished; nobody without it. */
  readonly recipients?: Recipients
}

/** A wish that cannot be understood. The message begins with the parameter and says what is accepted. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly code = 'bad-parameter'
  readonly parameter: string
  constructor(parameter: string, message: string) {
    super(`${parameter}: ${message}`)
    this.parameter = parameter
  }
}

const PARAMETERS = [
  'only',
  'skip',
  'since',
  'until',
  'around',
  'format',
  'compression',
  'limits',
  'recipient',
  'pseudonymize',
] as const
type Parameter = (typeof PARAMETERS)[number]

const FORMATS: readonly Format[] = ['tar.gz', 'tar.zst', 'tar']
/** The level of gzip that everybody knows, and the best trade on logs. */
const DEFAULT_COMPRESSION = 6
const HOUR_MS = 3_600_000
const DEFAULT_WINDOW_MS = 24 * HOUR_MS
const AROUND_MS = HOUR_MS / 2
/** The drop-in lines of extras.d are asked for by this name. */
const EXTRAS = 'extras'

/** @throws UsageError */
export function parseBundleRequest(parameters: Parameters, facts: RequestFacts): BundleRequest {
  const unknown = Object.keys(parameters).find((name) => !PARAMETERS.includes(name as Parameter))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${PARAMETERS.join(', ')}`)

  const only = collectors(parameters, 'only', facts)
  return {
    only: only.length > 0 ? only : undefined,
    skip: collectors(parameters, 'skip', facts),
    ...timeWindow(parameters, facts.nowMs),
    format: format(single(parameters, 'format')),
    compression: compression(single(parameters, 'compression')),
    limits: limits(single(parameters, 'limits'), facts.defaults),
    recipients: recipients(parameters.recipient, facts.recipients),
    pseudonymize: flag(parameters, 'pseudonymize'),
    unmasked: false,
  }
}

/** `?pseudonymize`, `?pseudonymize=1`, `--pseudonymize`. */
function flag(parameters: Parameters, name: Parameter): boolean {
  const value = single(parameters, name)
  if (value === undefined || ['0', 'false', 'no'].includes(value)) return false
  if (['', '1', 'true', 'yes'].includes(value)) return true
  throw new UsageError(name, `"${printable(value)}" is neither yes nor no; accepted: 1, true, yes, 0, false, no`)
}

/** `?only=a,b` and `?only=a&only=b` mean the same. */
function collectors(parameters: Parameters, name: 'only' | 'skip', facts: RequestFacts): string[] {
  const value = parameters[name]
  if (value === undefined) return []
  const known = [...facts.collectorIds.toSorted(), EXTRAS]
  const ids = [value].flat().flatMap((text) => text.split(',').map((id) => id.trim()))
  for (const id of ids) {
    if (!known.includes(id))
      throw new UsageError(name, `"${printable(id)}" is not a collector; accepted: ${known.join(', ')}`)
  }
  return [...new Set(ids)]
}

function timeWindow(parameters: Parameters, nowMs: number): { sinceMs: number; untilMs: number } {
  const around = single(parameters, 'around')
  const since = single(parameters, 'since')
  const until = single(parameters, 'until')
  if (around !== undefined) {
    if (since !== undefined || until !== undefined) {
      throw new UsageError(
        'around',
        'means 30 minutes before to 30 minutes after; it does not go together with since or until',
      )
    }
    const middleMs = parseTime('around', around, nowMs)
    return { sinceMs: middleMs - AROUND_MS, untilMs: middleMs + AROUND_MS }
  }
  const untilMs = until === undefined ? nowMs : parseTime('until', until, nowMs)
  const sinceMs = since === undefined ? untilMs - DEFAULT_WINDOW_MS : parseTime('since', since, nowMs)
  if (sinceMs >= untilMs) {
    throw new UsageError(
      'since',
      `${iso(sinceMs)} is not before the end of the window, ${iso(untilMs)} (until, or now)`,
    )
  }
  return { sinceMs, untilMs }
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS }
const ISO_8601 =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<clock>\d\d:\d\d)(?<seconds>:\d\d(?:[.,]\d{1,9})?)?(?:(?<utc>Z)|(?<sign>[-+ ])(?<zone>\d\d:?\d\d))?)?$/i

/**
 * Epoch milliseconds of `2h` (ago), `@1767225600`, or ISO 8601; a time without a zone is UTC.
 * @throws UsageError that names the parameter.
 */
export function parseTime(name: string, text: string, nowMs: number): number {
  const ago = /^(\d{1,9})([smhdw])$/.exec(text)
  const epoch = /^@(\d{1,11}(?:\.\d{1,9})?)$/.exec(text)
  let timeMs = isoTime(text)
  if (ago) timeMs = nowMs - Number(ago[1]) * UNIT_MS[ago[2]!]!
  if (epoch) timeMs = Math.round(Number(epoch[1]) * 1000)
  if (timeMs >= 0) return timeMs
  throw new UsageError(
    name,
    `"${printable(text)}" is not a time after 1970; accepted: 30s, 90m, 2h, 7d, 1w (ago), ` +
      '2026-01-31T12:00:00Z (ISO 8601; UTC when it has no zone) or @1767225600 (seconds since 1970)',
  )
}

/** NaN when it is none, also for a day that its month does not have. */
function isoTime(text: string): number {
  const parts = ISO_8601.exec(text)?.groups
  if (!parts) return Number.NaN
  const { date, clock = '00:00', seconds = ':00', sign, zone } = parts
  if (Number.isNaN(Date.parse(`${date}T00:00Z`)) || !iso(Date.parse(`${date}T00:00Z`)).startsWith(date!))
    return Number.NaN
  // A "+" that nobody escaped in a query string arrives as a space.
  const offset = zone ? `${sign === ' ' ? '+' : sign}${zone.slice(0, 2)}:${zone.slice(-2)}` : 'Z'
  return Date.parse(`${date}T${clock}${seconds.replace(',', '.')}${offset}`)
}

function format(text: string | undefined): Format {
  if (text === undefined) return 'tar.gz'
  const known = FORMATS.find((name) => name === text)
  if (!known) throw new UsageError('format', `"${printable(text)}" is not a format; accepted: ${FORMATS.join(', ')}`)
  return known
}

function compression(text: string | undefined): number {
  if (text === undefined) return DEFAULT_COMPRESSION
  if (!/^[1-9]$/.test(text))
    throw new UsageError('compression', `"${printable(text)}" is not a level; accepted: 1 (fast) to 9 (small)`)
  return Number(text)
}

function limits(text: string | undefined, defaults: Limits): Limits {
  if (text === undefined) return defaults
  try {
    return parseLimits(text, defaults)
  } catch (error) {
    throw new UsageError('limits', `${printable((error as Error).message)}; accepted: ${LIMITS_GRAMMAR}`)
  }
}

/** Those of the configuration, and those wished for besides. `?recipient=a,b` and `?recipient=a&recipient=b` mean the same. */
function recipients(wished: Parameters[string], always: Recipients = []): Recipients {
  try {
    const added = parseRecipients([wished ?? []].flat().flatMap((text) => text.split(',')))
    return always === 'unknown' ? always : [...new Set([...always, ...added])]
  } catch (error) {
    throw new UsageError('recipient', `${printable((error as Error).message)}; accepted: ${RECIPIENTS_GRAMMAR}`)
  }
}

/** @throws UsageError when it is given more than once. */
export function single(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name]
  if (value === undefined || typeof value === 'string') return value
  throw new UsageError(name, 'is given more than once; accepted: one value')
}

/** What somebody else wrote, short and without control characters, for a message. */
export function printable(text: string): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}')
  return clean.length > 120 ? `${clean.slice(0, 120)}…` : clean
}

function iso(timeMs: number): string {
  return Number.isNaN(timeMs) || Math.abs(timeMs) > 8.64e15 ? 'a time out of range' : new Date(timeMs).toISOString()
}
