/** A question to a database of metrics, read-only: nothing of it is changed, whoever writes it. */
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { range } from './database/range.ts'
import type { RangeAnswer, RangeQuestion } from './read-only.ts'

const { name, query } = workerData as RangeQuestion
try {
  const db = new Database(name, { readonly: true, fileMustExist: true, timeout: 1000 })
  try {
    say({ measured: range(db, query) })
  } finally {
    db.close()
  }
} catch (error) {
  const { code = 'ERROR', message } = error as Error & { code?: string }
  say({ code, message })
}

function say(answer: RangeAnswer): void {
  parentPort!.postMessage(answer)
}
