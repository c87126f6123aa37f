/** What the engine has of a log that is newer than all that is stored of it: nothing, where the tail is up to date. */
import { headAndNewest, type Lines } from '../../../sources/engine-tail.ts'
import type { SourceEnd } from '../../../sources/source.ts'
import type { UnixHttpContext } from '../../../sources/unix-http.ts'
import type { LogPlace } from '../container.ts'
import { FrameMemory, STREAM_SHIFT } from '../frames/memory.ts'
import { stampOf as stampAt } from '../frames/moments.ts'
import { engineText, type AskedLog, type EngineEnd } from './engine-text.ts'
import { cutToSpans, lineEnd, said, stampOf, unixTime, type Span } from './stamps.ts'

/** So many frames are remembered at least when some were given up for want of room: three words each. */
const FULL_WORDS = 3 * 16 * 1024

export interface NewerWish {
  readonly log: AskedLog
  readonly spans: readonly Span[]
  /** What the tail remembers; undefined when nobody knows where the log goes on. */
  readonly place: LogPlace | undefined
  /** Times of the first and the last stored line. */
  readonly first: string | undefined
  readonly last: string | undefined
  /** Podman knows whole seconds. */
  readonly wholeSeconds: boolean
  readonly entryBytes: number
}

/** Whether there can be anything. */
export function mayBeNewer({ spans, last }: Pick<NewerWish, 'spans' | 'last'>): boolean {
  const end = spans.at(-1)
  return end !== undefined && (last === undefined || end.until >= last)
}

/** Whole lines, and how many were taken for stored ones though they may be new. */
export async function* newerText(wish: NewerWish, ctx: UnixHttpContext): Lines {
  const again = async (lastLines?: number): Promise<Lines> => wanted(wish, ctx, lastLines)
  return yield* headAndNewest(await again(), again, { entryBytes: wish.entryBytes, headBytes: 0 })
}

/** How long that is, counted no further than `entryBytes`; and how it ended, for an engine may not answer. */
export async function newerBytes(wish: NewerWish, ctx: UnixHttpContext): Promise<{ bytes: number; end: SourceEnd }> {
  const lines = wanted(wish, ctx)
  let bytes = 0
  try {
    let step = await lines.next()
    for (; !step.done && bytes <= wish.entryBytes; step = await lines.next()) bytes += step.value.length
    return { bytes: Math.min(bytes, wish.entryBytes), end: step.done ? step.value : { outcome: 'ok' } }
  } finally {
    await lines.return({ outcome: 'ok' })
  }
}

async function* wanted(wish: NewerWish, ctx: UnixHttpContext, lastLines?: number): Lines {
  const { log, spans, place } = wish
  const memory = new FrameMemory()
  if (place) memory.load(place.frames)
  if (place) memory.highestSeconds = Math.max(memory.highestSeconds, place.highestSeconds)
  const known = place && memory.since(wish.wholeSeconds)
  const since = known ?? unixTime(wish.last ?? spans[0]!.since)
  const until = unixTime(spans.at(-1)!.until)
  const oldest = place ? [wish.first ?? '', oldestOf(place)].toSorted()[1]! : ''
  const begin = new Beginning(oldest, (place?.frames.length ?? 0) >= FULL_WORDS)
  const tail = lastLines === undefined ? {} : { tail: String(lastLines) }
  const answer = engineText(log, { since, until, ...tail }, ctx, memory)
  let end: EngineEnd | undefined
  try {
    for (;;) {
      const step = await answer.next()
      if (step.done) {
        end = step.value
        break
      }
      const fresh = known === undefined ? behind(step.value, wish.last) : begin.from(step.value)
      const { text } = cutToSpans(fresh, spans)
      if (text.length > 0) yield text
    }
  } finally {
    await answer.return({ outcome: 'ok', ambiguous: 0 })
  }
  const { ambiguous, ...rest } = end
  if (ambiguous > 0)
    yield said(`${ambiguous} lines of the engine are like stored ones of the same second, and were taken for them`)
  return rest
}

/** Of the first frame that is remembered: of a flood, what came before it was given up for want of room. */
function oldestOf({ frames }: LogPlace): string {
  const [seconds, nanos] = frames
  return seconds === undefined ? '' : stampAt(seconds, nanos! % 2 ** STREAM_SHIFT)
}

/** The seconds that are asked for again may hold lines that are older than all that is remembered. */
class Beginning {
  readonly #oldest: string
  /** Of that moment itself some may have been given up. */
  readonly #isFull: boolean
  #over = false

  constructor(oldest: string, isFull: boolean) {
    this.#oldest = oldest
    this.#isFull = isFull
  }

  from(text: Buffer): Buffer {
    for (let at = 0; at < text.length && !this.#over; at = lineEnd(text, at)) {
      const stamp = stampOf(text, at)
      this.#over = stamp !== undefined && (stamp > this.#oldest || (stamp === this.#oldest && !this.#isFull))
      if (this.#over) return text.subarray(at)
    }
    return this.#over ? text : text.subarray(0, 0)
  }
}

/** By time alone: those of the same moment count as stored. */
function behind(text: Buffer, last: string | undefined): Buffer {
  if (last === undefined) return text
  for (let at = 0; at < text.length; at = lineEnd(text, at)) {
    const stamp = stampOf(text, at)
    if (stamp !== undefined && stamp > last) return text.subarray(at)
  }
  return text.subarray(0, 0)
}
