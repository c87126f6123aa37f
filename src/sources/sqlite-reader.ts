/** The thread that holds a read transaction, seen from outside. */
import { Worker } from 'node:worker_threads'
import { patiently, type Patience } from './patience.ts'
import { printable } from './paths.ts'
import type { Answer, Held } from './sqlite-worker.ts'

const CLOSE_MS = 5000

export interface Reader extends Held {
  /** Ends the transaction. Resolves to whether SQLite has closed the database: its thread may hang on the disk. */
  close(): Promise<boolean>
}

/** SQLite could not open it, found no database there, or did not run at all. */
export class NoReader extends Error {
  /** As SQLite names it: `SQLITE_CANTOPEN`. */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'NoReader'
    this.code = code
  }
}

/** @throws NoReader; SourceError `timeout` when the disk does not answer; the reason of the signal. */
export async function openReader(path: string, patience: Patience): Promise<Reader> {
  const worker = new Worker(new URL('sqlite-worker.ts', import.meta.url), {
    workerData: { path },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
  })
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const answered = new Promise<Answer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error: Error) => reject(new NoReader('ERROR', error.message)))
    worker.once('exit', () => reject(new NoReader('ERROR', 'its thread ended')))
  })
  try {
    const answer = await patiently(answered, printable(path), patience)
    if (!('held' in answer)) throw new NoReader(answer.code, answer.message)
    worker.unref()
    const close = async () => {
      worker.postMessage('end')
      const late = Promise.withResolvers<boolean>()
      const timer = setTimeout(() => late.resolve(false), CLOSE_MS)
      const closed = await Promise.race([gone.then(() => true), late.promise])
      clearTimeout(timer)
      return closed
    }
    return { ...answer.held, close }
  } catch (error) {
    // Not awaited: it may wait for the disk.
    void worker.terminate()
    throw error
  }
}
