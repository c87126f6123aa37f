/** What the engine has of a log that is older than all that is stored of it. */
import { headAndNewest, type Lines } from '../../../sources/engine-tail.ts'
import type { SourceEnd } from '../../../sources/source.ts'
import type { UnixHttpContext } from '../../../sources/unix-http.ts'
import { engineText, type AskedLog } from './engine-text.ts'
import { findBorder } from './first-stored.ts'
import { cutToSpans, later, lineEnd, said, stampOf, unixTime, type Span } from './stamps.ts'

export interface OlderWish {
  readonly log: AskedLog
  readonly spans: readonly Span[]
  /** The first stored lines; at least one. */
  readonly stored: readonly string[]
  /** Most bytes, and of these the first that are kept where there are more. */
  readonly room: { readonly entryBytes: number; readonly headBytes: number }
}

/** stdout and stderr go back against each other by some milliseconds; nobody's go back by more than this. */
const AROUND_SECONDS = 1
/** Of the lines around the border: a flood of seconds. */
const HELD_BYTES = 8 * 1024 * 1024

/** What became of it, besides how it ended. */
export interface OlderTold {
  lines: number
}

/** Whole lines; a line of ours where the border is not certain. */
export async function* olderText(wish: OlderWish, ctx: UnixHttpContext, told: OlderTold): Lines {
  const since = wish.spans[0]?.since
  const first = wish.stored[0]!.slice(0, 30)
  if (since === undefined || since > first) return { outcome: 'ok' }
  const again = async (lastLines?: number) => counted(beforeBorder(wish, ctx, lastLines), told)
  return yield* headAndNewest(await again(), again, wish.room)
}

/** The last time it is read is the one that is handed over. */
async function* counted(lines: Lines, told: OlderTold): Lines {
  told.lines = 0
  try {
    for (;;) {
      const step = await lines.next()
      if (step.done) return step.value
      for (let at = 0; at < step.value.length; at = lineEnd(step.value, at))
        if (stampOf(step.value, at) !== undefined) told.lines += 1
      yield step.value
    }
  } finally {
    await lines.return({ outcome: 'ok' })
  }
}

async function* beforeBorder({ log, spans, stored }: OlderWish, ctx: UnixHttpContext, lastLines?: number): Lines {
  const first = stored[0]!.slice(0, 30)
  const from = later(first, -AROUND_SECONDS)
  const until = [later(first, AROUND_SECONDS), spans.at(-1)!.until].toSorted()[0]!
  const wish = {
    since: unixTime(spans[0]!.since),
    until: unixTime(until),
    ...(lastLines !== undefined && { tail: String(lastLines) }),
  }
  const answer = engineText(log, wish, ctx)
  const held = new Held(first)
  let end: SourceEnd = { outcome: 'ok' }
  try {
    for (;;) {
      const step = await answer.next()
      if (step.done) {
        const { ambiguous: _, ...rest } = step.value
        end = rest
        break
      }
      const border = held.lines.length > 0 ? 0 : placeOf(step.value, from)
      const before = cutToSpans(step.value.subarray(0, border), spans)
      if (before.text.length > 0) yield before.text
      const more = held.add(step.value.subarray(border))
      const surely = cutToSpans(more, spans)
      if (surely.text.length > 0) yield surely.text
      if (held.isFull) break
    }
  } finally {
    await answer.return({ outcome: 'ok', ambiguous: 0 })
  }
  yield* aroundBorder(held.lines, stored, spans)
  return end
}

function* aroundBorder(lines: readonly string[], stored: readonly string[], spans: readonly Span[]) {
  if (lines.length === 0) return
  const { index, told, further } = findBorder(lines, stored)
  const { text } = cutToSpans(Buffer.from(lines.slice(0, index).join(''), 'latin1'), spans)
  if (text.length > 0) yield text
  if (told === 'several')
    yield said(`up to ${further} lines of the engine are like those that follow, and were taken for them`)
  if (told === 'time' && text.length > 0)
    yield said('by their time alone the lines above are older than those that are stored, which follow')
}

/** The first line that is not older than this. */
function placeOf(text: Buffer, from: string): number {
  for (let at = 0; at < text.length; at = lineEnd(text, at)) {
    const stamp = stampOf(text, at)
    if (stamp !== undefined && stamp >= from) return at
  }
  return text.length
}

/** Lines around the border, with a bound. */
class Held {
  readonly #first: string
  lines: string[] = []
  #bytes = 0
  isFull = false

  constructor(first: string) {
    this.#first = first
  }

  /** Answers with what is given up for want of room, as it is surely older. */
  add(text: Buffer): Buffer {
    for (let at = 0; at < text.length;) {
      const end = lineEnd(text, at)
      this.lines.push(text.toString('latin1', at, end))
      at = end
    }
    this.#bytes += text.length
    if (this.#bytes <= HELD_BYTES) return Buffer.alloc(0)
    const half = Math.floor(this.lines.length / 2)
    const later = this.lines.findIndex((line) => line.slice(0, 30) >= this.#first)
    const surely = this.lines.splice(0, later === -1 ? half : Math.min(half, later))
    if (surely.length === 0) this.isFull = true
    const given = Buffer.from(surely.join(''), 'latin1')
    this.#bytes -= given.length
    return given
  }
}
