/**
 * What is kept of the log of a container as a source of lines: of one that is removed, or whose engine does not answer.
 *
 * Its places are those of the engine's log (container.ts), so that a cursor of the one goes on in the other. Read backward, a stretch of some
 * seconds is looked at, and ever longer ones while nothing is found; of many segments in it only the last few are inflated.
 */
import zlib from 'node:zlib'
import { keyOf, nanosecondsOf, placeOf, rawLine, stampOf, type ContainerLine, type Place } from './container-lines.ts'
import { BACK_NS, Beginning, Keeper, type Taken } from './container-place.ts'
import { KeptLines } from './kept-lines.ts'
import {
  asContext,
  CONTEXT_LINES,
  inBatches,
  type LogBatches,
  type LogContext,
  type LogSource,
  type LogSpan,
  type RawLine,
} from './line.ts'

/** Text of the log, deflated or not, the oldest first. */
type KeptPiece =
  | {
      readonly segment: {
        /** Raw deflate. */
        readonly bytes: Buffer
        readonly number: number
        /** Of the newest line. */
        readonly last: string
        readonly lines: number
        readonly lengthBytes: number
        readonly crc32: number
      }
    }
  | { readonly text: Buffer }

export interface KeptOfLog {
  readonly id: string
  readonly name: string
  /** The engine has it no more. */
  readonly removed: boolean
  /** Something may still be written. */
  readonly running: boolean
  /** Of the first and the last line, or near them, `2026-11-21T16:47:23.187458123Z`; undefined when there are none. */
  readonly first: string | undefined
  readonly last: string | undefined
  /** Milliseconds since 1970, for a log in which nothing else tells a time. */
  readonly knownMs: number
  /** Segments that lie outside of these times are left out. */
  pieces(span: { readonly since?: string; readonly until?: string }): AsyncGenerator<KeptPiece, void, void>
}

export function keptContainerSource(kept: KeptOfLog): LogSource {
  const key = keyOf(kept.id)
  return {
    key,
    kind: 'container',
    name: `container ${kept.name} (${key})`,
    ...edgesOf(kept),
    read: (span, ctx) => {
      if (isOutside(kept, span)) return nothing()
      return span.direction === 'forward' ? forward(kept, span, ctx) : backward(kept, span, ctx)
    },
    follow: (from, ctx) => forward(kept, { ...from, untilUs: Infinity }, ctx),
  }
}

function edgesOf({ first, last, running }: KeptOfLog): Pick<LogSource, 'edges'> {
  if (first === undefined || last === undefined || running) return {}
  const oldestUs = Number((nanosecondsOf(first) - BACK_NS) / 1000n)
  return { edges: { oldestUs, newestUs: Number((nanosecondsOf(last) + BACK_NS) / 1000n) } }
}

/** What is behind a place may be of any time. */
function isOutside(kept: KeptOfLog, { sinceUs, untilUs, after }: LogSpan): boolean {
  const { edges } = edgesOf(kept)
  return edges !== undefined && after === undefined && (edges.newestUs < sinceUs || edges.oldestUs > untilUs)
}

async function* nothing(): LogBatches {}

async function* forward(
  kept: KeptOfLog,
  { sinceUs, untilUs, after }: Omit<LogSpan, 'direction'>,
  ctx: LogContext,
): LogBatches {
  const place = placeOf(after) ?? { timeNs: BigInt(Math.max(0, Math.floor(sinceUs))) * 1000n, nth: -1 }
  const beginning = new Beginning(place)
  const raw = (lines: readonly Taken[]): RawLine[] =>
    lines
      .map(({ line, context }) => ({ ...rawLine(line, shown(kept)), ...(context && { context }) }))
      .filter(({ timeUs }) => timeUs <= untilUs)
  const fromNs = place.timeNs - BACK_NS
  const until = untilUs === Infinity ? {} : { until: stampOf(BigInt(Math.floor(untilUs)) * 1000n + 999n) }
  const lines = new KeptLines({ whole: isWhole(kept, fromNs), knownNs: knownNs(kept) })
  for await (const piece of kept.pieces({ since: stampOf(fromNs), ...until })) {
    for await (const found of linesOf(piece, lines)) {
      ctx.signal.throwIfAborted()
      yield* inBatches(raw(found.flatMap((line) => beginning.take(line))))
    }
  }
  const rest = lines.end(!kept.running).flatMap((line) => beginning.take(line))
  yield* inBatches(raw([...rest, ...beginning.end()]))
  return beginning.lost ? 'what was written before the oldest line here is not kept' : undefined
}

/** A stretch that is looked at, at first; each further one is so many times longer. */
const FIRST_NS = 10_000_000_000n
const LONGER = 8n
/** Segments of a stretch that are inflated: the newest lines before a place stand in the last one, or the one before. */
const FEW_SEGMENTS = 2
/** So much later a line may be that stands before another: the two streams go backward against each other by a few milliseconds. */
const ASIDE_NS = 20_000_000n

async function* backward(kept: KeptOfLog, span: LogSpan, ctx: LogContext): LogBatches {
  const newestNs = kept.last === undefined ? knownNs(kept) : nanosecondsOf(kept.last) + BACK_NS
  const untilNs = BigInt(Math.floor(Math.min(span.untilUs, 8.64e18 / 1000))) * 1000n + 999n
  let before: Place = placeOf(span.after) ?? { timeNs: untilNs < newestNs ? untilNs : newestNs, nth: -1 }
  let older = 0
  let longNs = FIRST_NS
  let segments = FEW_SEGMENTS
  for (;;) {
    ctx.signal.throwIfAborted()
    const { lines, cut, more, gone, whole } = await lookBack(kept, { before, longNs, segments })
    if (gone) before = { timeNs: before.timeNs - 1n, nth: -1 }
    const [oldest] = lines
    if (oldest) {
      before = oldest
      const raw = lines.map((line) => rawLine(line, shown(kept))).filter(({ timeUs }) => timeUs <= span.untilUs)
      const marked = raw.map((line) => (line.timeUs < span.sinceUs ? asContext(line) : line))
      older += marked.filter(({ context }) => context).length
      if (marked.length > 0) yield marked
    }
    if ((whole && !cut && !more && !gone) || older >= CONTEXT_LINES) return
    // Where nothing was found among the last segments, it may be in those before them; then in what is older.
    if (oldest) [longNs, segments] = [FIRST_NS, FEW_SEGMENTS]
    else if (cut) segments = Infinity
    else if (!gone) longNs *= LONGER
  }
}

interface Look {
  /** In the order of the log. */
  readonly lines: readonly ContainerLine[]
  /** There are more of them in this stretch: in segments that were left out, or in those that were looked at. */
  readonly cut: boolean
  readonly more: boolean
  /** There is no line at the place: its time is all that is known. */
  readonly gone: boolean
  /** The stretch begins with the log. */
  readonly whole: boolean
}

interface Stretch {
  readonly before: Place
  readonly longNs: bigint
  readonly segments: number
}

/** The newest lines that stand before a place, in a stretch of the log before it. */
async function lookBack(kept: KeptOfLog, { before, longNs, segments }: Stretch): Promise<Look> {
  const fromNs = before.timeNs - longNs
  const whole = isWhole(kept, fromNs)
  const held: KeptPiece[] = []
  /** Of the newest line that is left out. */
  let leftOut: string | undefined
  for await (const piece of kept.pieces({ since: stampOf(fromNs), until: stampOf(before.timeNs + ASIDE_NS) })) {
    held.push(piece)
    while (held.filter((one) => 'segment' in one).length > segments) {
      const out = held.shift()!
      if ('segment' in out && out.segment.last > (leftOut ?? '')) leftOut = out.segment.last
    }
  }
  const lines = new KeptLines({ whole: whole && leftOut === undefined, knownNs: knownNs(kept) })
  const keeper = new Keeper(before)
  for (const piece of held) {
    for await (const found of linesOf(piece, lines)) for (const line of found) keeper.take(line)
  }
  for (const line of lines.end(!kept.running)) keeper.take(line)
  const cut = leftOut !== undefined
  // How many lines have a stamp that also those have that are left out is not known here.
  const knownFrom = cut ? nanosecondsOf(leftOut!) : fromNs - 1n
  const reached = keeper.reached && (before.nth === -1 || before.timeNs > knownFrom)
  if (!reached) return { lines: [], cut, more: false, gone: !cut, whole }
  const found = whole && !cut ? keeper.all : keeper.newerThan(knownFrom)
  return { lines: found, cut, more: keeper.more, gone: false, whole }
}

/** The lines that a piece completes, some at a time. */
async function* linesOf(piece: KeptPiece, lines: KeptLines): AsyncGenerator<readonly ContainerLine[], void, void> {
  if ('text' in piece) {
    yield lines.push(piece.text)
    return
  }
  const { bytes, number, crc32, lengthBytes, lines: count } = piece.segment
  const inflate = zlib.createInflateRaw({ finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES })
  inflate.end(bytes)
  let sum = 0
  let length = 0
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      sum = zlib.crc32(chunk, sum)
      length += chunk.length
      if (length > lengthBytes) break
      yield lines.push(chunk)
    }
  } catch {
    // It has not the length that it should have.
  }
  if (length !== lengthBytes || sum !== crc32)
    yield lines.tear(`segment ${number} is damaged: of its ${count} lines some are missing or wrong`)
}

const CHUNK_BYTES = 64 * 1024

/** No segment is left out that lies before it; the oldest line need not be the first. */
function isWhole({ first }: KeptOfLog, fromNs: bigint): boolean {
  return first === undefined || fromNs <= 0n || fromNs <= nanosecondsOf(first) - BACK_NS
}

function knownNs({ knownMs }: KeptOfLog): bigint {
  return BigInt(Math.max(0, Math.floor(knownMs))) * 1_000_000n
}

function shown({ id, name, removed }: KeptOfLog) {
  return { id, name, ...(removed && { removed: true as const }) }
}
