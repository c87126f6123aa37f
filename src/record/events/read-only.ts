/** Asks a database of events that another process keeps, or kept: in a thread, which is ended when its disk does not answer. */
import { Worker } from 'node:worker_threads'
import type { RecordedContext } from '../../collect/recorded.ts'
import type { RecordedFilter } from '../../collector.ts'
import { patiently } from '../../sources/patience.ts'
import { SourceError } from '../../sources/source.ts'
import { forReading } from '../../sources/sqlite-at-rest.ts'
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

/** Rows for each of the filters. */
export type ReadOnlyAnswer =
  | { readonly rows: readonly ReadOnlyRows[] }
  | { readonly code: string; readonly message: string }

/** Rejects with a SourceError that says why not: `skipped` where there is no database. */
export type AskReadOnly = (filter: RecordedFilter, ctx: RecordedContext) => Promise<StoredEvent[]>

/** What is asked while a thread runs waits, and goes into the next one together. */
export function createReadOnly(path: string, bootId: string): AskReadOnly {
  let next: RecordedFilter[] = []
  let answers: Promise<ReadOnlyAnswer> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  return async (filter, ctx) => {
    const index = next.push(filter) - 1
    if (answers === undefined) {
      const mine = turn.then(() => {
        const filters = next
        next = []
        answers = undefined
        return asked(path, { bootId, filters }, ctx)
      })
      turn = mine.catch(() => {})
      answers = mine
    }
    const answer = await answers
    if ('rows' in answer) return answer.rows[index]!.map((row) => eventOf(row))
    throw new SourceError('failed', `${path} cannot be asked: ${answer.message} (${answer.code})`)
  }
}

async function asked(
  path: string,
  questions: Omit<ReadOnlyQuestions, 'name'>,
  ctx: RecordedContext,
): Promise<ReadOnlyAnswer> {
  const patience = { ms: ctx.limits.stallMs, signal: ctx.signal }
  // A thread takes 0.15 s of processor time: none is started to learn that there is no database.
  const { name, release } = await forReading(path, patience)
  const worker = new Worker(new URL('read-only-worker.ts', import.meta.url), {
    workerData: { ...questions, name } satisfies ReadOnlyQuestions,
    execArgv: [],
  })
  const { promise, resolve, reject } = Promise.withResolvers<ReadOnlyAnswer>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('its thread ended')))
  try {
    return await patiently(promise, path, patience)
  } finally {
    // Not awaited: it may wait for the disk.
    void worker.terminate().then(release)
  }
}
