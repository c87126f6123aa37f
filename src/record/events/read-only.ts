/** Asks a database of events that another process keeps, or kept. */
import type { RecordedContext } from '../../collect/recorded.ts'
import type { RecordedFilter } from '../../collector.ts'
import { askedInThread } from '../../sources/sqlite-questions.ts'
import { eventOf, type Row } from './row.ts'
import type { StoredEvent } from './event.ts'

export interface ReadOnlyQuestions {
  /** Of the database, as SQLite is told it. */
  readonly name: string
  /** The present boot. */
  readonly bootId: string
  readonly filters: readonly RecordedFilter[]
}

export type ReadOnlyRows = readonly (Row & { readonly id: number })[]

/** Rejects with a SourceError that says why not: `skipped` where there is no database. */
export type AskReadOnly = (filter: RecordedFilter, ctx: RecordedContext) => Promise<StoredEvent[]>

/** What is asked while a thread runs waits, and goes into the next one together. */
export function createReadOnly(path: string, bootId: string): AskReadOnly {
  let next: RecordedFilter[] = []
  /** Rows for each of the filters. */
  let answers: Promise<readonly ReadOnlyRows[]> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  return async (filter, ctx) => {
    const index = next.push(filter) - 1
    if (answers === undefined) {
      const mine = turn.then(() => {
        const filters = next
        next = []
        answers = undefined
        const questions: Omit<ReadOnlyQuestions, 'name'> = { bootId, filters }
        const worker = new URL('read-only-worker.ts', import.meta.url)
        return askedInThread<readonly ReadOnlyRows[]>(path, worker, questions, ctx)
      })
      turn = mine.catch(() => {})
      answers = mine
    }
    const rows = (await answers)[index]!
    return rows.map((row) => eventOf(row))
  }
}
