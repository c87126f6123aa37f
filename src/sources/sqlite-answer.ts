/** The side of the thread: reads a database, read-only, and says what it found. Nothing of it is changed, whoever writes it. */
import { parentPort } from 'node:worker_threads'
import Database from 'better-sqlite3'
import type { Answered } from './sqlite-questions.ts'

/** @param name as SQLite is told it. */
export function answerFrom(name: string, read: (db: Database.Database) => unknown): void {
  parentPort!.postMessage(answered(name, read))
}

function answered(name: string, read: (db: Database.Database) => unknown): Answered<unknown> {
  try {
    const db = new Database(name, { readonly: true, fileMustExist: true, timeout: 1000 })
    try {
      return { answer: read(db) }
    } finally {
      db.close()
    }
  } catch (error) {
    const { code = 'ERROR', message } = error as Error & { code?: string }
    return { code, message }
  }
}
