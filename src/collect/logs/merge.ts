/** The lines of many sources as one, by time: of each, one batch is looked ahead at. */
import { problemOf, type LogProblem } from './find-sources.ts'
import type { LogSource, LogSpan, RawLine } from '../../sources/logs/line.ts'

export interface MergedLine {
  readonly source: LogSource
  readonly line: RawLine
}

export interface Reading {
  readonly source: LogSource
  /** In the order of reading. */
  readonly batches: AsyncGenerator<readonly RawLine[], string | void, void>
}

export interface MergeHooks {
  /** The line before the first one of a source. */
  readonly begins: (source: LogSource, line: RawLine) => void
  /** What is missing of a source; its other lines come all the same. */
  readonly problem: (problem: LogProblem) => void
}

/** Engines and disks are not asked for everything at once. */
const AT_ONCE = 8

/** A source keeps its own order, whatever its times say. */
export async function* merge(
  readings: readonly Reading[],
  direction: LogSpan['direction'],
  hooks: MergeHooks,
): AsyncGenerator<MergedLine, void, void> {
  const heads = readings.map((reading) => new Head(reading, direction, hooks))
  try {
    const left = heads.filter((head) => head.timeUs === undefined)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let head = left.shift(); head; head = left.shift()) await head.fill()
      }),
    )
    for (let next = first(heads, direction); next; next = first(heads, direction)) {
      if (!next.waits) yield { source: next.source, line: next.take() }
      if (next.waits || next.timeUs === undefined) await next.fill()
    }
  } finally {
    await Promise.all(readings.map(({ batches }) => batches.return(undefined)))
  }
}

/** Those of several groups that are there already: each keeps its order. */
export function mergeGroups(groups: ReadonlyMap<LogSource, readonly RawLine[]>): MergedLine[] {
  const left = [...groups].map(([source, lines]) => ({ source, lines, at: 0, timeUs: lines[0]?.timeUs }))
  const merged: MergedLine[] = []
  for (let next = first(left, 'forward'); next; next = first(left, 'forward')) {
    merged.push({ source: next.source, line: next.lines[next.at++]! })
    next.timeUs = next.lines[next.at]?.timeUs
  }
  return merged
}

/** Of equal times the one of the earlier source, read backward of the later: both orders are the same, turned round. */
function first<T extends { readonly timeUs: number | undefined }>(
  heads: readonly T[],
  direction: LogSpan['direction'],
): T | undefined {
  let best: T | undefined
  for (const head of heads) {
    if (head.timeUs === undefined) continue
    if (best?.timeUs === undefined) best = head
    else if (direction === 'forward' ? head.timeUs < best.timeUs : head.timeUs >= best.timeUs) best = head
  }
  return best
}

class Head {
  readonly source: LogSource
  readonly #batches: Reading['batches']
  readonly #hooks: MergeHooks
  readonly #edgeUs: number | undefined
  #lines: readonly RawLine[] = []
  #at = 0
  #waits: boolean

  constructor({ source, batches }: Reading, direction: LogSpan['direction'], hooks: MergeHooks) {
    this.source = source
    this.#edgeUs = direction === 'forward' ? source.edges?.oldestUs : source.edges?.newestUs
    this.#waits = this.#edgeUs !== undefined
    this.#batches = batches
    this.#hooks = hooks
  }

  /** It is known to have nothing before `timeUs`, and was not opened yet. */
  get waits(): boolean {
    return this.#waits
  }

  /** Of the line that comes next; undefined when there is none at hand. */
  get timeUs(): number | undefined {
    return this.#waits ? this.#edgeUs : this.#lines[this.#at]?.timeUs
  }

  take(): RawLine {
    return this.#lines[this.#at++]!
  }

  /** Until there is a line, or no more of them. */
  async fill(): Promise<void> {
    this.#waits = false
    try {
      while (this.timeUs === undefined) {
        const step = await this.#batches.next()
        if (step.done) {
          if (step.value) this.#hooks.problem({ source: this.source.name, message: step.value })
          return
        }
        const before = step.value.findLast(({ context }) => context)
        if (before) this.#hooks.begins(this.source, before)
        this.#lines = before ? step.value.filter(({ context }) => !context) : step.value
        this.#at = 0
      }
    } catch (error) {
      this.#hooks.problem(problemOf(this.source.name, error))
    }
  }
}
