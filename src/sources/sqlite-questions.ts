/** Asks a database that another process keeps, or kept: in a thread, which is ended when its disk does not answer. */
import { Worker } from 'node:worker_threads'
import { patiently } from './patience.ts'
import { SourceError, type SourceContext, type SourceLimits } from './source.ts'
import { forReading } from './sqlite-at-rest.ts'

/** What such a thread says. */
export type Answered<T> = { readonly answer: T } | { readonly code: string; readonly message: string }

/**
 * `worker` gets `questions` and the `name` of the database, as SQLite is told it, and says one `Answered`.
 * Rejects with a SourceError that says why not: `skipped` where there is no database.
 */
export async function askedInThread<T>(
  path: string,
  worker: URL,
  questions: object,
  { limits, signal }: SourceContext & { readonly limits: SourceLimits },
): Promise<T> {
  const patience = { ms: limits.stallMs, signal }
  // A thread takes 0.15 s of processor time: none is started to learn that there is no database.
  const { name, release } = await forReading(path, patience)
  const thread = new Worker(worker, { workerData: { ...questions, name }, execArgv: [] })
  const { promise, resolve, reject } = Promise.withResolvers<Answered<T>>()
  thread.once('message', resolve)
  thread.once('error', reject)
  thread.once('exit', () => reject(new Error('its thread ended')))
  try {
    const said = await patiently(promise, path, patience)
    if ('answer' in said) return said.answer
    throw new SourceError('failed', `${path} cannot be asked: ${said.message} (${said.code})`)
  } finally {
    // Not awaited: it may wait for the disk.
    void thread.terminate().then(release)
  }
}
