/**
 * The log of one container as a source of lines, through the Engine API.
 *
 * The engine reads from a time on, or the last so many frames. Neither is a place: many lines may share a stamp, and the two streams of a
 * container go backward against each other by a few milliseconds. So what is read begins two seconds earlier, and the line that was seen last
 * is looked for in it: by its stamp, and by how many lines of that stamp stood before it.
 */
import { askForLog } from '../engine-log.ts'
import type { Answer } from '../unix-http.ts'
import { ContainerLines, keyOf, placeOf, rawLine, type ContainerLine, type Place } from './container-lines.ts'
import { BACK_NS, Beginning, Keeper, type Taken } from './container-place.ts'
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

export interface ContainerOfLog {
  readonly socket: string
  readonly id: string
  readonly name: string
  /** Something may still be written. */
  readonly running: boolean
}

export function containerSource(container: ContainerOfLog): LogSource {
  const { id, name } = container
  return {
    key: keyOf(id),
    kind: 'container',
    name: `container ${name} (${keyOf(id)})`,
    read: (span, ctx) =>
      span.direction === 'forward' ? forward(container, span, ctx) : backward(container, span, ctx),
    follow: (from, ctx) => forward(container, { ...from, untilUs: Infinity }, ctx, true),
  }
}

async function* forward(
  container: ContainerOfLog,
  { sinceUs, untilUs, after }: Omit<LogSpan, 'direction'>,
  ctx: LogContext,
  follow = false,
): LogBatches {
  const place = placeOf(after) ?? { timeNs: BigInt(Math.max(0, Math.floor(sinceUs))) * 1000n, nth: -1 }
  const beginning = new Beginning(place)
  const raw = (taken: readonly Taken[]): RawLine[] =>
    taken
      .map(({ line, context }) => ({ ...rawLine(line, container), ...(context && { context }) }))
      .filter(({ timeUs }) => timeUs <= untilUs)
  // Whole seconds: podman 4.3 knows no others.
  const since = String((place.timeNs > BACK_NS ? place.timeNs - BACK_NS : 0n) / 1_000_000_000n)
  const until = untilUs === Infinity ? {} : { until: String(Math.ceil(untilUs / 1e6) + 2) }
  const answer = await askForLog({ socket: container.socket, containerId: container.id, follow }, ctx, {
    since,
    ...until,
  })
  const lines = new ContainerLines(answer.origin)
  try {
    for await (const chunk of answer.chunks)
      yield* inBatches(raw(lines.push(chunk).flatMap((line) => beginning.take(line))))
    const rest = lines.end(follow || !container.running).flatMap((line) => beginning.take(line))
    yield* inBatches(raw([...rest, ...beginning.end()]))
    const lost = beginning.lost && 'what was written before the oldest line here is gone: rotated'
    return [lost, lines.trouble && `the engine says: ${lines.trouble}`].filter(Boolean).join('; ') || undefined
  } finally {
    await answer.chunks.return()
  }
}

/** Frames asked for at first; each further look asks for four times as many. */
const FIRST_FRAMES = 128
const MOST_FRAMES = 1_000_000_000

/** Looks at the last frames, and at ever more of them: the engine does not read backward. */
async function* backward(container: ContainerOfLog, span: LogSpan, ctx: LogContext): LogBatches {
  const untilNs = BigInt(Math.floor(Math.min(span.untilUs, 8.64e18 / 1000))) * 1000n
  let before: Place = placeOf(span.after) ?? { timeNs: untilNs, nth: -1 }
  let older = 0
  for (let frames = FIRST_FRAMES; frames <= MOST_FRAMES;) {
    const { kept, more, gone, whole, trouble } = await lookBack(container, { frames, before }, ctx)
    if (gone) before = { timeNs: before.timeNs - 1n, nth: -1 }
    const [oldest] = kept
    if (oldest) {
      before = oldest
      const lines = kept.map((line) => rawLine(line, container)).filter(({ timeUs }) => timeUs <= span.untilUs)
      const marked = lines.map((line) => (line.timeUs < span.sinceUs ? asContext(line) : line))
      older += marked.filter(({ context }) => context).length
      yield marked
    }
    if ((whole && !more) || older >= CONTEXT_LINES) return trouble && `the engine says: ${trouble}`
    // Where nothing is known of so many frames, all of them may bear the stamp of the first.
    if (!more || (!oldest && !gone)) frames *= 4
  }
}

interface Look {
  /** In the order of the log. */
  readonly kept: readonly ContainerLine[]
  /** There were more of them in this answer. */
  readonly more: boolean
  /** There is no line at the place: its time is all that is known. */
  readonly gone: boolean
  /** The answer has all of the log. */
  readonly whole: boolean
  readonly trouble: string | undefined
}

/** The newest lines that stand before a place, among the last `frames`. */
async function lookBack(
  container: ContainerOfLog,
  { frames, before }: { readonly frames: number; readonly before: Place },
  ctx: LogContext,
): Promise<Look> {
  const answer = await ask(container, frames, ctx)
  const lines = new ContainerLines(answer.origin)
  const keeper = new Keeper(before)
  try {
    for await (const chunk of answer.chunks) for (const line of lines.push(chunk)) keeper.take(line)
    for (const line of lines.end(!container.running)) keeper.take(line)
  } finally {
    await answer.chunks.return()
  }
  const { trouble } = lines
  const whole = lines.frames < frames
  // Not reached: it stands further back, or, where this is all of the log, it is gone. Of the first stamp, a line that is alike may be taken for it.
  const reached = keeper.reached && (whole || before.nth === -1 || before.timeNs > keeper.firstNs)
  if (!reached) return { kept: [], more: whole, gone: whole, whole, trouble }
  // Lines of the first stamp are left to a longer look: only that one knows how many there are.
  const kept = whole ? keeper.all : keeper.newerThan(keeper.firstNs)
  return { kept, more: keeper.more, gone: false, whole, trouble }
}

function ask({ socket, id }: ContainerOfLog, frames: number, ctx: LogContext): Promise<Answer> {
  return askForLog({ socket, containerId: id }, ctx, { tail: String(frames) })
}
