/** Asks a database of metrics that another process keeps, or kept: in a thread, which is ended when its disk does not answer. */
import { Worker } from 'node:worker_threads'
import type { RecordedContext } from '../../collect/recorded.ts'
import type { Measured, MeasuredQuery } from '../../collector.ts'
import { patiently } from '../../sources/patience.ts'
import { SourceError } from '../../sources/source.ts'
import { forReading } from '../../sources/sqlite-at-rest.ts'

export interface RangeQuestion {
  /** Of the database, as SQLite is told it. */
  readonly name: string
  readonly query: MeasuredQuery
}

export type RangeAnswer = { readonly measured: Measured } | { readonly code: string; readonly message: string }

/** Rejects with a SourceError that says why not: `skipped` where there is no database. */
export async function rangeReadOnly(path: string, query: MeasuredQuery, ctx: RecordedContext): Promise<Measured> {
  const patience = { ms: ctx.limits.stallMs, signal: ctx.signal }
  // A thread takes 0.15 s of processor time: none is started to learn that there is no database.
  const { name, release } = await forReading(path, patience)
  const worker = new Worker(new URL('range-worker.ts', import.meta.url), {
    workerData: { name, query } satisfies RangeQuestion,
    execArgv: [],
  })
  try {
    const answer = await patiently(answerOf(worker), path, patience)
    if ('measured' in answer) return answer.measured
    throw new SourceError('failed', `${path} cannot be asked: ${answer.message} (${answer.code})`)
  } finally {
    // Not awaited: it may wait for the disk.
    void worker.terminate().then(release)
  }
}

function answerOf(worker: Worker): Promise<RangeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RangeAnswer>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('its thread ended')))
  return promise
}
