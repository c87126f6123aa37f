/**
 * Holds one read transaction on a database, in a thread of its own: opening it may wait for a disk. Until it ends, SQLite
 * overwrites nothing that this transaction sees.
 */
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

export interface Held {
  readonly pageSize: number
  readonly pageCount: number
  /** Whether it has a write-ahead log. */
  readonly wal: boolean
  /** Frames of the log that were published when the transaction had begun; what is behind them may yet be taken back. */
  readonly frames: number
}

/** `code` as SQLite names it. */
export type Answer = { readonly held: Held } | { readonly code: string; readonly message: string }

const port = parentPort!
try {
  const { path } = workerData as { path: string }
  const reader = open(path)
  port.once('message', () => {
    reader.close()
    port.close()
  })
  port.postMessage({ held: begin(reader, path) } satisfies Answer)
} catch (error) {
  const { code = 'ERROR', message } = error as Error & { code?: string }
  port.postMessage({ code, message } satisfies Answer)
  port.close()
}

function begin(reader: Database.Database, path: string): Held {
  const wal = reader.pragma('journal_mode', { simple: true }) === 'wal'
  reader.exec('BEGIN')
  // The transaction begins with the first look.
  reader.prepare('SELECT count(*) FROM sqlite_schema').get()
  const pageCount = reader.pragma('page_count', { simple: true }) as number
  const pageSize = reader.pragma('page_size', { simple: true }) as number
  return { pageSize, pageCount, wal, frames: wal ? published(path) : 0 }
}

/** Asked of a second connection: one in a transaction may not. */
function published(path: string): number {
  const other = open(path)
  try {
    const [row] = other.pragma('wal_checkpoint(NOOP)') as { log: number }[]
    return row!.log
  } finally {
    other.close()
  }
}

function open(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: 1000 })
}
