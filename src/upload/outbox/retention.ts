/** Keeps uploads.db within its age, its number of rows and its size, in steps of some milliseconds. */
import type Database from 'better-sqlite3'
import type { Bounds, Maintained } from '../../record/store/book.ts'
import { usedBytes } from '../../record/store/pages.ts'

export interface RetentionSettings {
  /** What was finished longer ago goes, milliseconds. */
  readonly maxAgeMs: number
  /** Finished ones that are kept. */
  readonly maxFinished: number
}

const ROWS_AT_ONCE = 50
const FINISHED = `state NOT IN ('waiting', 'running')`

/** What waits stays: its number has a bound of its own. */
export function maintain(
  db: Database.Database,
  { maxAgeMs, maxFinished }: RetentionSettings,
  { nowMs, maxPageBytes }: Bounds,
): Maintained {
  const old = `SELECT id FROM uploads WHERE ${FINISHED} AND finished_ms < ? LIMIT ${ROWS_AT_ONCE}`
  let rows = db.prepare(`DELETE FROM uploads WHERE id IN (${old})`).run(nowMs - maxAgeMs).changes
  const finished = db.prepare(`SELECT count(*) FROM uploads WHERE ${FINISHED}`).pluck().get() as number
  const tooMany = usedBytes(db) > maxPageBytes ? ROWS_AT_ONCE : Math.min(finished - maxFinished, ROWS_AT_ONCE)
  const oldest = `SELECT id FROM uploads WHERE ${FINISHED} ORDER BY id LIMIT ?`
  if (tooMany > 0) rows += db.prepare(`DELETE FROM uploads WHERE id IN (${oldest})`).run(tooMany).changes
  return { rows, more: rows > 0 }
}
