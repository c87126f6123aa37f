/** What all requests of one upload share: tries, the end of patience, the cap of the bandwidth. */
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pace } from '../send/pace.ts'
import type { FailureKind, UploadFailure } from '../upload.ts'
import { type Failed, failed } from './failed.ts'

export interface Limits {
  /** No byte taken, or no answer, for so long. */
  readonly stallMs: number
  readonly connectMs: number
  /** Of one request; each time it has to be sent again. */
  readonly tries: number
  /** Before the second try; doubles. */
  readonly firstPauseMs: number
  /** Of parts, at least. S3 takes none below 5 MiB. */
  readonly partBytes: number
}

/** A longer wait is better spent without a child: the outbox tries again. */
const MOST_PAUSE_MS = 60_000

const AGAIN = new Set<FailureKind>([
  'slow-down',
  'server-error',
  'unreachable',
  'connection-lost',
  'stalled',
  'bad-answer',
])

/** One try of one request. */
export interface Try {
  /** Aborts when patience ends, or the upload is over. */
  readonly signal: AbortSignal
  /** The bytes, as fast as they may go; each slice that is taken is progress. */
  body(...bytes: readonly Buffer[]): Readable
}

export interface Line {
  readonly limits: Limits
  /** @throws Failed */
  tried<T>(host: string, one: (attempt: Try) => Promise<T>, meaning: (error: unknown) => Failed): Promise<T>
  /** For what has to be said after the upload has broken off: it is tried less, and nothing aborts it. */
  afterwards(): Line
}

export interface LineOptions {
  readonly limits: Limits
  readonly pace: Pace
  /** The upload is over. */
  readonly broken: AbortSignal
  /** Taken by sockets, those that are sent again too. */
  readonly onBytes: (bytes: number) => void
}

export function createLine(options: LineOptions): Line {
  const { limits, broken } = options
  return {
    limits,
    async tried(host, one, meaning) {
      for (let number = 1; ; number++) {
        try {
          return await attempted(options, host, one, meaning)
        } catch (error) {
          const { failure } = error as Failed
          const pauseMs = pauseBefore(number + 1, failure, limits)
          if (broken.aborted || pauseMs === undefined) throw error
          await delay(pauseMs, undefined, { signal: broken }).catch(() => {})
          broken.throwIfAborted()
        }
      }
    },
    afterwards: () => createLine({ ...options, limits: brief(limits), broken: new AbortController().signal }),
  }
}

async function attempted<T>(
  { limits, pace, broken, onBytes }: LineOptions,
  host: string,
  one: (attempt: Try) => Promise<T>,
  meaning: (error: unknown) => Failed,
): Promise<T> {
  const stalled = new AbortController()
  const timer = setTimeout(() => stalled.abort(), limits.stallMs)
  const body = (...bytes: readonly Buffer[]) => {
    const passed = (count: number) => {
      timer.refresh()
      onBytes(count)
    }
    return Readable.from(slices(bytes, pace, timer, passed), { objectMode: false, highWaterMark: pace.sliceBytes })
  }
  try {
    return await one({ signal: AbortSignal.any([stalled.signal, broken]), body })
  } catch (error) {
    broken.throwIfAborted()
    if (!stalled.signal.aborted) throw meaning(error)
    throw failed('stalled', `${host} took nothing and answered nothing for ${limits.stallMs / 1000} s`)
  } finally {
    clearTimeout(timer)
  }
}

async function* slices(pieces: readonly Buffer[], pace: Pace, timer: NodeJS.Timeout, passed: (bytes: number) => void) {
  for (const bytes of pieces) {
    for (let at = 0; at < bytes.length; at += pace.sliceBytes) {
      const slice = bytes.subarray(at, at + pace.sliceBytes)
      const waitMs = pace.delayMs(slice.length, performance.now())
      if (waitMs > 0) {
        await delay(waitMs)
        // It was we who waited: no stall of the target.
        timer.refresh()
      }
      yield slice
      passed(slice.length)
    }
  }
}

/** undefined: no more. Half of it is chance, so that a fleet does not come back as one. */
function pauseBefore(number: number, failure: UploadFailure, limits: Limits): number | undefined {
  if (failure.permanent || !AGAIN.has(failure.kind) || number > limits.tries) return undefined
  // It has cost a minute each.
  if (failure.kind === 'stalled' && number > 2) return undefined
  const pauseMs = limits.firstPauseMs * 2 ** (number - 2) * (0.5 + Math.random() / 2)
  const wishedMs = failure.retryAfterMs ?? 0
  return wishedMs > MOST_PAUSE_MS ? undefined : Math.min(MOST_PAUSE_MS, Math.max(pauseMs, wishedMs))
}

function brief(limits: Limits): Limits {
  return { ...limits, stallMs: Math.min(limits.stallMs, 10_000), tries: Math.min(limits.tries, 3) }
}
