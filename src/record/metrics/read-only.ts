/** Asks a database of metrics that another process keeps, or kept: in a thread, which is ended when its disk does not answer. */
import { stat } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { RecordedContext } from '../../collect/recorded.ts'
import type { Measured, MeasuredQuery } from '../../collector.ts'
import { patiently } from '../../sources/patience.ts'
import { SourceError } from '../../sources/source.ts'

export interface RangeQuestion {
  readonly path: string
  readonly query: MeasuredQuery
}

export type RangeAnswer = { readonly measured: Measured } | { readonly code: string; readonly message: string }

/** Rejects with a SourceError that says why not: `skipped` where there is no database. */
export async function rangeReadOnly(path: string, query: MeasuredQuery, ctx: RecordedContext): Promise<Measured> {
  const patience = { ms: ctx.limits.stallMs, signal: ctx.signal }
  // SQLite's own word for it is that it cannot be opened; and a thread takes 0.15 s of processor time to say so.
  await patiently(stat(path), path, patience).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new SourceError('skipped', `${path} does not exist`, { quiet: true })
  })
  const worker = new Worker(new URL('range-worker.ts', import.meta.url), {
    workerData: { path, query } satisfies RangeQuestion,
    execArgv: [],
  })
  try {
    const answer = await patiently(answerOf(worker), path, patience)
    if ('measured' in answer) return answer.measured
    throw new SourceError('failed', `${path} cannot be asked: ${answer.message} (${answer.code})`)
  } finally {
    // Not awaited: it may wait for the disk.
    void worker.terminate()
  }
}

function answerOf(worker: Worker): Promise<RangeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RangeAnswer>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('its thread ended')))
  return promise
}
