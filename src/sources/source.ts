/**
 * What every source is: a description opened into bounded bytes.
 *
 * A source yields buffers that stay valid only until the next pull (it may reuse them), pulls nothing ahead
 * of its reader, and cleans up everything it holds (descriptors, children, sockets, timers) in `finally`, so that
 * `return()` on the generator or an aborted signal is all it takes to be rid of it.
 */
import type { Interval, Outcome } from '../collector.ts'

/** How a source ended, when it ended by itself. */
export interface SourceEnd {
  readonly outcome: Outcome
  /** A sentence, for every outcome but `ok`. */
  readonly detail?: string
  /** The start and end of what a command wrote to stderr (≤ 16 KiB). */
  readonly stderr?: string
  /** What is missing is missing at the end: the engine says so there, in a marker line. */
  readonly endsEarly?: true
  /** Bytes known to be left out; 0 or absent when none, or their number is unknown. */
  readonly cutBytes?: number
}

export interface Opened {
  /** Set when the length is fixed before the first byte; then exactly that many bytes are delivered. */
  readonly sizeBytes?: number
  readonly mtimeMs?: number
  /** Where it comes from, for the manifest: the path, the command line, the URL. */
  readonly origin: string
  readonly chunks: AsyncGenerator<Buffer, SourceEnd, void>
}

/** Why a source could not be opened, or broke off: closed outcome, a sentence, stderr where there is one. */
export class SourceError extends Error {
  readonly outcome: Outcome
  readonly stderr: string | undefined
  /** Nothing is wrong: it does not exist, or was not asked for. The manifest tells; no `.error.txt` is needed. */
  readonly quiet: boolean
  constructor(
    outcome: Outcome,
    message: string,
    options: { stderr?: string | undefined; cause?: unknown; quiet?: boolean } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'SourceError'
    this.outcome = outcome
    this.stderr = options.stderr
    this.quiet = options.quiet ?? false
  }
}

/** A log that ends before the window begins: left out because the caller asked for other times, not a defect. */
export class OutsideWindow extends SourceError {
  override name = 'OutsideWindow'
  constructor(message: string) {
    super('skipped', message, { quiet: true })
  }
}

/** Limits of one entry, in bytes and milliseconds of waiting for the source (a slow client's time does not count). */
export interface SourceLimits {
  /** Most bytes of this entry. Infinity with `limits=none`. */
  readonly entryBytes: number
  /** What a log over its limit keeps of its beginning. */
  readonly headBytes: number
  /** A command's whole time. */
  readonly commandMs: number
  /** Longest wait for the next byte. */
  readonly stallMs: number
}

/** Everything a source may know of its surroundings; one per bundle. */
export interface SourceContext {
  readonly signal: AbortSignal
  /** Prefix of every path on the host: '' in production, a recorded tree in tests. Never part of an origin. */
  readonly root: string
  /** The fixed PATH that commands are looked up on, as a colon-separated list. */
  readonly path: string
  /** The host's IANA time zone, for zone-less times in logs. */
  readonly timeZone: string
  readonly intervals: () => Promise<readonly Interval[]>
  /** Shared patience with D-Bus: after one time-out the other D-Bus commands of this bundle get 2 s each. */
  readonly dbus: { dead: boolean }
}
