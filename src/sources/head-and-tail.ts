/**
 * A log over its limit, from a source that can only be asked for "everything from the start" and "the newest N
 * lines": its beginning and its newest bytes, holding no more than a few times `headBytes`.
 *
 * The head is stopped after `headBytes`. Then as many of the newest lines as fill a part of the limit, at most half, are asked for: if they
 * reach back into the head, both are joined and the log is whole. If lines for twice the limit do not reach it, the log is
 * over the limit. Only between the two is it read once more to be measured. Of a log over its limit the newest lines
 * that fit are asked for, and a marker line stands in the hole.
 */
import { bothEnds } from './ends.ts'
import { type Chunks, type Taken, after, close, countBytes, inLines, take } from './chunks.ts'
import { cutAtLine, leftOut, marker, overlap, reachesBack, recordsIn, wholeLines } from './seam.ts'
import type { SourceEnd } from './source.ts'

export interface HeadAndTail {
  /** The whole log from its start; ended early when it is too long. */
  readonly head: () => Chunks
  /** The newest `lines` lines (or entries of several lines), oldest first. */
  readonly tail: (lines: number) => Chunks
  /** Most bytes altogether. */
  readonly entryBytes: number
  /** Bytes to keep of the beginning. */
  readonly headBytes: number
}

/** Lines asked for to learn how long the newest are; and the bytes after which that is known well enough. */
const SAMPLE_LINES = 1000
const SAMPLE_BYTES = 4 * 1024 * 1024
/** What a log is taken to fit in, tried in turn: journalctl reads on into the past when asked for more than there is. */
const NEAR_SHARES = [1 / 16, 1 / 2]
/** Lines are asked for to fill one share, and may fill a larger one; the rest stays for the newest, should they not fit. */
const ASKED_SHARE = 3 / 4
const FIRST_SHARE = 7 / 8
/** Room for the marker lines, so that they do not push the newest line over the limit. */
const MARKERS_BYTES = 512

export async function* headAndTail(spec: HeadAndTail): Chunks {
  if (spec.entryBytes === Infinity) return yield* spec.head()
  const head = await readHead(spec)
  if (head.bytes.length > 0) yield head.bytes
  if (head.end !== undefined) return head.end

  const budget = Math.max(0, spec.entryBytes - head.bytes.length - MARKERS_BYTES)
  const { rest, share } = await openRest(spec, head.bytes, budget)
  const firstBudget = Math.floor(budget * share)
  const first = yield* pour(spec, head.bytes, rest, firstBudget)
  if (!first.over) return first.end
  // The lines were longer than the newest thousand promised: leave out again, and end with the very newest.
  const left = budget - firstBudget
  const lines = await linesWithin(spec, left, linesFor(left / 2, first.lineBytes))
  const newest = continued(first.last, await openTail(spec, first.last, lines))
  const second = yield* pour(spec, first.last, newest, left)
  const end = bothEnds(first.end, second.end)
  return second.over ? bothEnds(end, { outcome: 'partial', detail: `cut at ${spec.entryBytes} bytes` }) : end
}

function linesFor(bytes: number, lineBytes: number): number {
  return Math.max(1, Math.floor(bytes / lineBytes))
}

/** As many of the newest lines, at most `lines`, as are sure to fit in `bytes`; at least one. */
async function linesWithin(spec: HeadAndTail, bytes: number, lines: number): Promise<number> {
  let fitting = lines
  while (fitting > 1 && (await countBytes(spec.tail(fitting), bytes)) > bytes) fitting = Math.floor(fitting / 2)
  return fitting
}

async function readHead(spec: HeadAndTail): Promise<Taken> {
  const headBytes = Math.min(spec.headBytes, Math.floor(spec.entryBytes / 2))
  const chunks = spec.head()
  try {
    const { bytes, end } = await take(chunks, headBytes)
    if (end !== undefined && bytes.length <= spec.entryBytes) return { bytes, end }
    return { bytes: Buffer.from(wholeLines(bytes.subarray(0, headBytes))), end: undefined }
  } finally {
    await close(chunks)
  }
}

/** A run whose start has been looked at; all in whole lines. */
interface Rest {
  readonly start: Taken
  readonly chunks: Chunks
  /** Bytes at its start that stand before it already; undefined when there is a hole between. */
  readonly joint: number | undefined
}

/** The newest lines that reach back into the head if the log is within its limit, else those that fit. */
async function openRest(spec: HeadAndTail, head: Buffer, budget: number): Promise<{ rest: Rest; share: number }> {
  const averages = [await newestLineBytes(spec), head.length / Math.max(1, recordsIn(head))]
  const [longest, shortest] = [Math.max(1, ...averages), Math.max(1, Math.min(...averages))]
  for (const share of NEAR_SHARES) {
    const near = await openTail(spec, head, linesFor(budget * share, longest))
    if (near.joint !== undefined) return { rest: near, share: FIRST_SHARE }
    await close(near.chunks)
  }
  const whole = await openTail(spec, head, linesFor(budget * 2, shortest))
  if (whole.joint !== undefined && (await isWithin(spec, head.length + budget))) return { rest: whole, share: 1 }
  await close(whole.chunks)
  return { rest: await openTail(spec, head, linesFor(budget * ASKED_SHARE, longest)), share: FIRST_SHARE }
}

async function openTail(spec: HeadAndTail, before: Buffer, lines: number): Promise<Rest> {
  const chunks = inLines(spec.tail(lines))
  try {
    const start = await take(chunks, before.length)
    return { start, chunks, joint: overlap(before, start.bytes) }
  } catch (error) {
    await close(chunks)
    throw error
  }
}

/** A run that starts earlier than what is kept of the lines before it, from where these end. */
function continued(before: Buffer, rest: Rest): Rest {
  if (rest.joint !== undefined || !reachesBack(before, rest.start.bytes)) return rest
  const chunks = after(before, rest.start, rest.chunks)
  return { start: { bytes: Buffer.alloc(0), end: undefined }, chunks, joint: 0 }
}

/** The average length of the newest lines, from the source itself. */
async function newestLineBytes(spec: HeadAndTail): Promise<number> {
  let lines = 0
  const bytes = await countBytes(spec.tail(SAMPLE_LINES), SAMPLE_BYTES, (chunk) => (lines += recordsIn(chunk)))
  return bytes / Math.max(1, lines)
}

async function isWithin(spec: HeadAndTail, bytes: number): Promise<boolean> {
  return (await countBytes(spec.head(), bytes)) <= bytes
}

interface Poured {
  readonly end: SourceEnd
  /** More came than fits. */
  readonly over: boolean
  /** The newest lines that were yielded, and the average length of all. */
  readonly last: Buffer
  readonly lineBytes: number
}

/** Yields what comes after `before`: the marker where there is a hole, then at most `budget` bytes of whole lines. */
async function* pour(
  spec: HeadAndTail,
  before: Buffer,
  { start, chunks, joint }: Rest,
  budget: number,
): AsyncGenerator<Buffer, Poured, void> {
  let end: SourceEnd = { outcome: 'ok' }
  let last = before
  let bytes = 0
  let records = 0
  try {
    if (joint === undefined && start.bytes.length > 0) {
      end = leftOut(before, start.bytes, spec.entryBytes)
      yield marker(before, start.bytes, spec.entryBytes)
    }
    let chunk = start.bytes.subarray(joint ?? 0)
    for (let ended = start.end; ;) {
      const over = bytes + chunk.length > budget
      const kept = over ? cutAtLine(chunk, budget - bytes) : chunk
      bytes += kept.length
      records += recordsIn(kept)
      if (kept.length > 0) {
        last = Buffer.from(kept)
        yield kept
      }
      if (over || ended !== undefined) {
        return { end: bothEnds(end, ended ?? end), over, last, lineBytes: bytes / Math.max(1, records) }
      }
      const step = await chunks.next()
      if (step.done) ended = step.value
      chunk = step.done ? Buffer.alloc(0) : step.value
    }
  } finally {
    await close(chunks)
  }
}
