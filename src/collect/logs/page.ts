/** One answer out of the logs: so many lines, by time, from a place on. */
import type { LogContext, LogSource, RawLine } from '../../sources/logs/line.ts'
import type { FindSources, LogProblem } from './find-sources.ts'
import { isWanted, shownLine, type LogLine } from './line.ts'
import { maskedProblem, type LogMask, type LogMasks } from './mask.ts'
import { maskedLines, type LinesBehind } from './masked.ts'
import { merge, type MergedLine, type MergeHooks } from './merge.ts'
import { Position } from './position.ts'
import type { PageWish } from './wish.ts'

export interface LogPage {
  /** In the order that was wished for. */
  readonly lines: readonly LogLine[]
  /** Behind the last line that was looked at; undefined when there was none to be. */
  readonly cursor?: string | undefined
  /** Why it ends here; `end`: there are no more now. */
  readonly ended: 'end' | 'limit' | 'bytes' | 'time'
  /** Lines that were looked at. */
  readonly looked: number
  readonly problems: readonly LogProblem[]
}

export interface PageDeps {
  readonly find: FindSources
  readonly masks: LogMasks
  readonly ctx: LogContext
}

/** Of messages; with all around them an answer has two or three times as much. */
const PAGE_BYTES = 4 * 1024 * 1024
/** A search in a large log goes on where it ended; nobody waits longer, and no gateway does. */
const PAGE_MS = 10_000

/** @throws LogsWithheld, UsageError (the cursor) */
export async function readPage(wish: PageWish, deps: PageDeps, pageMs = PAGE_MS): Promise<LogPage> {
  return (await readWithHead(wish, deps, pageMs)).page
}

/** With the position from which on everything is newer than the first line. */
export async function readWithHead(
  wish: PageWish,
  { find, masks, ctx: outer }: PageDeps,
  pageMs = PAGE_MS,
): Promise<{ page: LogPage; head: Position }> {
  const ended = new AbortController()
  const ctx = { ...outer, signal: AbortSignal.any([outer.signal, ended.signal]) }
  const untilUs = (wish.untilMs ?? Date.now()) * 1000
  const span = { sinceUs: (wish.sinceMs ?? 0) * 1000, untilUs }
  const position = positionOf(wish, span)
  const head = new Position('forward', untilUs, Infinity)
  const problems: LogProblem[] = []
  const hooks: MergeHooks = {
    begins: (source, line) => {
      if (position.direction === 'forward') position.begins(source, line)
    },
    problem: (problem) => void problems.push(problem),
  }
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), pageMs)
  try {
    const found = await find(wish, ctx)
    problems.push(...found.problems)
    const mask = await masks.current(found.containers)
    problems.push(...mask.problems.map((message) => ({ source: 'mask', message })))
    const readings = found.sources.map((source) => {
      const batches = source.read(position.spanOf(source, span), ctx)
      return { source, batches: maskedLines(batches, position.direction, async () => mask, behindIn(source, ctx)) }
    })
    const taken = new Taken(wish, position, head)
    const lines = merge(readings, position.direction, hooks)
    const why = await taken.all(lines, late.signal)
    // Read forward, what comes later is behind it also where nothing was there yet.
    const cursor = taken.looked > 0 || position.direction === 'forward' ? position.encode() : wish.cursor
    const { shown, looked } = taken
    return { page: { lines: shown, cursor, ended: why, looked, problems: await masked(problems, mask) }, head }
  } finally {
    clearTimeout(timer)
    ended.abort(new Error('the answer is complete'))
  }
}

/** Read only where the last line of what is wanted may be of a key that goes on. */
function behindIn(source: LogSource, ctx: LogContext): LinesBehind {
  return async ({ timeUs, place }) => {
    const untilUs = Date.now() * 1000
    const batches = source.read({ direction: 'forward', sinceUs: timeUs, untilUs, after: place }, ctx)
    try {
      for (let step = await batches.next(); !step.done; step = await batches.next()) {
        const lines = step.value.filter(({ context }) => !context)
        if (lines.length > 0) return lines
      }
      return []
    } catch {
      // Nobody asked for them; what is wrong with the source its own lines tell.
      return []
    } finally {
      void batches.return().catch(() => {})
    }
  }
}

function positionOf({ cursor, order }: PageWish, { sinceUs, untilUs }: { sinceUs: number; untilUs: number }): Position {
  const direction = order === 'newest' ? 'backward' : 'forward'
  if (cursor !== undefined) return Position.decode(cursor, direction)
  return direction === 'backward'
    ? new Position(direction, untilUs, untilUs)
    : new Position(direction, sinceUs, Infinity)
}

async function masked(problems: readonly LogProblem[], mask: LogMask): Promise<LogProblem[]> {
  const unique = new Map(problems.map((problem) => [`${problem.source} ${problem.message}`, problem]))
  return Promise.all([...unique.values()].map((problem) => maskedProblem(problem, mask)))
}

class Taken {
  readonly shown: LogLine[] = []
  looked = 0
  #bytes = 0
  readonly #wish: PageWish
  readonly #position: Position
  readonly #head: Position
  readonly #isWanted: (line: RawLine) => boolean
  readonly #sources = new Set<LogSource>()

  constructor(wish: PageWish, position: Position, head: Position) {
    this.#wish = wish
    this.#position = position
    this.#head = head
    this.#isWanted = isWanted(wish)
  }

  async all(lines: ReturnType<typeof merge>, late: AbortSignal): Promise<LogPage['ended']> {
    const tooLate = new Promise<'late'>((resolve) => late.addEventListener('abort', () => resolve('late')))
    let waiting: Promise<IteratorResult<MergedLine, void>> | undefined
    for (;;) {
      waiting = lines.next()
      const step = await Promise.race([waiting, tooLate])
      if (step === 'late') break
      if (step.done) return 'end'
      const why = this.#take(step.value.source, step.value.line)
      if (why !== undefined) {
        void lines.return().catch(() => {})
        return why
      }
      if (late.aborted) break
    }
    // It waits for a source, which ends with the signal.
    waiting.catch(() => {})
    void lines.return().catch(() => {})
    return 'time'
  }

  #take(source: LogSource, line: RawLine): LogPage['ended'] | undefined {
    this.looked += 1
    this.#position.pass(source, line)
    if (!this.#sources.has(source)) this.#head.pass(source, line)
    this.#sources.add(source)
    if (!this.#isWanted(line)) return undefined
    this.shown.push(shownLine(source, line, this.#position.encode()))
    this.#bytes += line.message.length
    if (this.shown.length >= this.#wish.limit) return 'limit'
    return this.#bytes >= PAGE_BYTES ? 'bytes' : undefined
  }
}
