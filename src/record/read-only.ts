/** Asks a database of events that another process keeps, or kept: in a thread, which is ended when its disk does not answer. */
import { Worker } from 'node:worker_threads'
import type { RecordedContext } from '../collect/recorded.ts'
import type { RecordedFilter } from '../collector.ts'
import { patiently } from '../sources/patience.ts'
import { SourceError } from '../sources/source.ts'
import { eventOf, type Row } from './event-row.ts'
import type { StoredEvent } from './event.ts'

export interface ReadOnlyQuestion {
  readonly path: string
  readonly filter: RecordedFilter
  /** The present boot. */
  readonly bootId: string
}

export type ReadOnlyAnswer =
  | { readonly rows: readonly (Row & { readonly id: number })[] }
  | { readonly code: string; readonly message: string }

/** @throws SourceError that says why not: `skipped` where there is no database. */
export async function askReadOnly(question: ReadOnlyQuestion, ctx: RecordedContext): Promise<StoredEvent[]> {
  const worker = new Worker(new URL('read-only-worker.ts', import.meta.url), { workerData: question, execArgv: [] })
  const { promise, resolve, reject } = Promise.withResolvers<ReadOnlyAnswer>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('its thread ended')))
  try {
    const answer = await patiently(promise, question.path, { ms: ctx.limits.stallMs, signal: ctx.signal })
    if ('rows' in answer) return answer.rows.map((row) => eventOf(row))
    const { code, message } = answer
    if (code === 'ENOENT') throw new SourceError('skipped', `${question.path} does not exist`, { quiet: true })
    throw new SourceError('failed', `${question.path} cannot be asked: ${message} (${code})`)
  } finally {
    // Not awaited: it may wait for the disk.
    void worker.terminate()
  }
}
