/**
 * The log of one container within the window, through the Engine API, as CRI text lines.
 *
 * Paths of the Engine API are asked without a version: each engine then answers in its own newest. No fixed version
 * would do for all (Docker 20.10 ends at 1.41, Docker 29 begins at 1.44, podman 4.3 has 1.41 only), and what is used
 * here has not changed between them.
 */
import type { Interval } from '../collector.ts'
import { bothEnds } from './ends.ts'
import { EngineLogDecoder } from './engine-frames.ts'
import { headAndNewest, type Again, type Lines } from './engine-tail.ts'
import { SourceError, type Opened, type SourceEnd } from './source.ts'
import { openAnswer, primed, priming, type Answer, type UnixHttpContext } from './unix-http.ts'

export interface EngineLogSpec {
  readonly socket: string
  readonly containerId: string
  /** Whether it has a terminal. Only for the reader: the stream itself shows it, and is believed. */
  readonly tty?: boolean | undefined
}

/**
 * Opens a container's log as lines `2026-11-21T09:34:09.123456789Z stdout F text`; a part of a line that is over
 * 16 kB or was never finished has `P` instead of `F`. Text is passed on byte by byte, whatever it is.
 *
 * Throws a `SourceError`: `skipped` when the container's log driver cannot be read through the API, else as
 * `openUnixHttp` does.
 */
export async function openEngineLog(spec: EngineLogSpec, ctx: UnixHttpContext): Promise<Opened> {
  const { socket, containerId } = spec
  const origin = `unix:${socket} ${pathOf(containerId)}`
  const spans = joined(await ctx.intervals())
  const again: Again = (lastLines) => openLines({ socket, containerId, spans, lastLines }, ctx)
  return { origin, chunks: await primed(kept(await again(), again, ctx)) }
}

/** Closes what was opened even when nobody ever pulls. */
async function* kept(first: Lines, again: Again, ctx: UnixHttpContext): Lines {
  try {
    yield priming
    return yield* headAndNewest(first, again, ctx.limits)
  } finally {
    await first.return({ outcome: 'ok' })
  }
}

interface Question {
  readonly socket: string
  readonly containerId: string
  readonly spans: readonly Span[]
  /** Only the last lines of the log; of these the engine then leaves out what is outside the span. */
  readonly lastLines: number | undefined
}

async function openLines(question: Question, ctx: UnixHttpContext): Promise<Lines> {
  // The first answer is awaited here, so that a refusal is known before anything is handed over.
  const [span] = question.spans
  return primed(decoded(question, ctx, span && (await ask(question, span, ctx))))
}

async function* decoded(question: Question, ctx: UnixHttpContext, first: Answer | undefined): Lines {
  let answer = first
  let end: SourceEnd = { outcome: 'ok' }
  let before: Span | undefined
  try {
    yield priming
    for (const span of question.spans) {
      answer ??= await ask(question, span, ctx)
      const lines = decodedAnswer(answer)
      let step = await lines.next()
      if (!step.done && before) yield gap(before, span)
      if (!step.done) before = span
      for (; !step.done; step = await lines.next()) yield step.value
      end = bothEnds(end, step.value)
      answer = undefined
    }
    return end
  } finally {
    await answer?.chunks.return()
  }
}

function gap(before: Span, after: Span): Buffer {
  const [from, to] = [before.untilMs, after.sinceMs].map((timeMs) => new Date(timeMs).toISOString())
  return Buffer.from(`… diagd: lines between ${from} and ${to} are outside the window …\n`)
}

async function* decodedAnswer({ origin, chunks }: Answer): Lines {
  const decoder = new EngineLogDecoder(origin)
  let bytes = 0
  let broken: SourceError | undefined
  try {
    for await (const chunk of chunks) {
      const lines = decoder.push(chunk)
      bytes += lines.length
      if (lines.length > 0) yield lines
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    broken = error
  }
  const { lines, torn } = decoder.end()
  if (lines.length > 0) yield lines
  if (broken) {
    const outcome = broken.outcome === 'failed' && bytes + lines.length > 0 ? 'partial' : broken.outcome
    return { outcome, detail: broken.message }
  }
  if (decoder.trouble) return { outcome: 'partial', detail: `the engine says: ${decoder.trouble}` }
  return torn ? { outcome: 'partial', detail: `${origin} ended inside a line` } : { outcome: 'ok' }
}

function ask({ lastLines, ...log }: Question, span: Span, ctx: UnixHttpContext): Promise<Answer> {
  return askForLog(log, ctx, {
    since: unixTime(span.sinceMs, '000000'),
    until: unixTime(span.untilMs, '999999'),
    ...(lastLines !== undefined && { tail: String(lastLines) }),
  })
}

export interface LogAsked {
  readonly socket: string
  readonly containerId: string
  /** Lines that are yet to come, too: however long the silence. */
  readonly follow?: boolean
}

/**
 * The raw answer of the engine to a question for a log. Times are seconds with a fraction (Docker answers RFC 3339 with 500), both ends
 * inclusive. `tail` counts frames, and comes before the times: of the last N frames those outside are left out.
 */
export async function askForLog(
  { socket, containerId, follow = false }: LogAsked,
  ctx: UnixHttpContext,
  wish: { readonly since?: string; readonly until?: string; readonly tail?: string },
): Promise<Answer> {
  const query = new URLSearchParams({
    stdout: '1',
    stderr: '1',
    timestamps: '1',
    ...wish,
    ...(follow && { follow: '1' }),
  })
  const path = `${pathOf(containerId)}?${query.toString()}`
  try {
    return await openAnswer({ socket, path, stream: true, ...(follow && { timeoutMs: Infinity }) }, ctx)
  } catch (error) {
    if (error instanceof SourceError && unreadable.test(error.message)) {
      const said = error.message.replace(/^.* answered \d+: /, '')
      throw new SourceError('skipped', `the engine cannot hand out this log: ${said}`, { cause: error })
    }
    throw error
  }
}

const pathOf = (containerId: string) => `/containers/${encodeURIComponent(containerId)}/logs`

/** How Docker ("configured logging driver does not support reading") and podman refuse a log that went elsewhere. */
export const unreadable =
  /logging driver does not support reading|log(?:ging)? driver .*(?:cannot|not|unable).*(?:read|logs)/i

const unixTime = (timeMs: number, nanos: string): string => {
  const wholeMs = Math.max(0, Math.floor(timeMs))
  return `${Math.floor(wholeMs / 1000)}.${String(wholeMs % 1000).padStart(3, '0')}${nanos}`
}

type Span = Pick<Interval, 'sinceMs' | 'untilMs'>

/** In the order of time, and no line twice where the window and the boot's first minutes overlap. */
function joined(intervals: readonly Interval[]): Span[] {
  const spans: { sinceMs: number; untilMs: number }[] = []
  for (const { sinceMs, untilMs } of intervals.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const last = spans.at(-1)
    if (last && sinceMs <= last.untilMs) last.untilMs = Math.max(last.untilMs, untilMs)
    else spans.push({ sinceMs, untilMs })
  }
  return spans
}
