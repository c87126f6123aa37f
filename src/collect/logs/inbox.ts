/** What the followed sources brought, until it is taken: in order of time as far as it is there at once, each source in its own. */
import { setTimeout as delay } from 'node:timers/promises'
import type { LogSource, RawLine } from '../../sources/logs/line.ts'
import type { LogProblem } from './find-sources.ts'
import { mergeGroups, type MergedLine } from './merge.ts'

export interface Arrived {
  /** Where sources begin that have brought nothing yet. */
  readonly begins: ReadonlyMap<LogSource, RawLine>
  readonly lines: readonly MergedLine[]
  readonly problems: readonly LogProblem[]
}

/** So long lines are gathered, to be put in order; a line is never later than that because of it. */
const GATHER_MS = 100
/** More waits with the sources: in a pipe, with the engine, on the disk. */
const MOST_LINES = 2000

export class Inbox {
  readonly #signal: AbortSignal
  #groups = new Map<LogSource, RawLine[]>()
  #begins = new Map<LogSource, RawLine>()
  #problems: LogProblem[] = []
  #lines = 0
  #arrived = Promise.withResolvers<void>()
  #room = Promise.withResolvers<void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => {
      this.#arrived.resolve()
      this.#room.resolve()
    })
  }

  /** Resolves when there is room for more. */
  async put(source: LogSource, batch: readonly RawLine[]): Promise<void> {
    const before = batch.findLast(({ context }) => context)
    if (before) this.#begins.set(source, before)
    const lines = before ? batch.filter(({ context }) => !context) : batch
    const group = this.#groups.get(source) ?? []
    group.push(...lines)
    this.#groups.set(source, group)
    this.#lines += lines.length
    this.#arrived.resolve()
    if (this.#lines >= MOST_LINES && !this.#signal.aborted) await this.#room.promise
  }

  problem(problem: LogProblem): void {
    this.#problems.push(problem)
    this.#arrived.resolve()
  }

  async *batches(): AsyncGenerator<Arrived, void, void> {
    while (!this.#signal.aborted) {
      await this.#arrived.promise
      await delay(GATHER_MS, undefined, { signal: this.#signal }).catch(() => {})
      if (this.#signal.aborted) return
      const taken = { begins: this.#begins, lines: mergeGroups(this.#groups), problems: this.#problems }
      this.#groups = new Map()
      this.#begins = new Map()
      this.#problems = []
      this.#lines = 0
      this.#arrived = Promise.withResolvers()
      this.#room.resolve()
      this.#room = Promise.withResolvers()
      yield taken
    }
  }
}
