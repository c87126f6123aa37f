/**
 * The contract of a source of log lines.
 *
 * A source reads one log, forward or backward in time, a batch at a time and no faster than it is pulled; it follows it; and it can go on
 * at a place that it named before, whatever was written or rotated since. What it yields is as it was written: the mask comes
 * behind it. It throws a SourceError when it cannot be read (any more), which costs its own lines only.
 */
import type { Level } from '../levels.ts'
import type { SourceContext, SourceLimits } from '../source.ts'

export const LOG_KINDS = ['journal', 'cloud-init', 'container'] as const
export type LogKind = (typeof LOG_KINDS)[number]

export interface RawLine {
  /** Microseconds since 1970. */
  readonly timeUs: number
  readonly level: Level
  /** Without its end of line; at most 64 KiB of it. */
  readonly message: string
  /** Bytes of the message that are left out. */
  readonly cutBytes?: number
  /** Where it stands: letters, digits, "." and "-"; the source can go on from there in either direction. */
  readonly place: string
  readonly unit?: string
  /** What the program calls itself, and its process. */
  readonly identifier?: string
  readonly pid?: number
  readonly container?: { readonly id: string; readonly name: string; readonly stream?: 'stdout' | 'stderr' }
  /** The file it stands in. */
  readonly file?: string
  /** It is outside of what is asked for: only the mask looks at it, for a secret may begin there. */
  readonly context?: true
}

export interface LogSpan {
  readonly direction: 'forward' | 'backward'
  /** Both inclusive, microseconds since 1970. */
  readonly sinceUs: number
  readonly untilUs: number
  /** The line at this place was seen already: what lies behind it, in the direction, is wanted. */
  readonly after?: string | undefined
}

/** Lines of one batch stand in the order of the log, in either direction. The end may be a sentence about what is missing. */
export type LogBatches = AsyncGenerator<readonly RawLine[], string | void, void>

export interface LogSource {
  /** In cursors: `j`, `l`, `o`, or 12 letters of the id of a container. */
  readonly key: string
  readonly kind: LogKind
  /** For people. */
  readonly name: string
  /** No line is older or newer than that, where it is known without reading: it is not opened before its turn. */
  readonly edges?: { readonly oldestUs: number; readonly newestUs: number }
  read(span: LogSpan, ctx: LogContext): LogBatches
  /** Begins behind `after`, or at `sinceUs`, and goes on until the signal is aborted or there can be no more. */
  follow(from: Pick<LogSpan, 'sinceUs' | 'after'>, ctx: LogContext): LogBatches
}

export type LogContext = SourceContext & { readonly limits: SourceLimits }

/** Lines of one batch, at most: what a source is ahead of its reader. */
const BATCH_LINES = 512
const BATCH_BYTES = 64 * 1024
/** Longer ones exist, and nobody reads them to their end. */
export const MESSAGE_BYTES = 64 * 1024
/** Before what is asked for, for the mask: a long private key has a hundred lines. */
export const CONTEXT_LINES = 128

export function asContext(line: RawLine): RawLine {
  return { ...line, context: true }
}

export function* inBatches(lines: readonly RawLine[]): Generator<readonly RawLine[]> {
  for (let from = 0; from < lines.length;) {
    let to = from
    for (let bytes = 0; to < lines.length && to - from < BATCH_LINES && bytes < BATCH_BYTES; to++)
      bytes += lines[to]!.message.length
    yield lines.slice(from, to)
    from = to
  }
}

/** The text of a message, and what of it is too long. */
export function messageOf(bytes: Buffer): Pick<RawLine, 'message' | 'cutBytes'> {
  if (bytes.length <= MESSAGE_BYTES) return { message: bytes.toString() }
  return { message: bytes.toString('utf8', 0, MESSAGE_BYTES), cutBytes: bytes.length - MESSAGE_BYTES }
}

/** `2026-01-31T12:00:00.123456Z` */
export function timeText(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(timeUs - ms * 1000).padStart(3, '0')}Z`
}
