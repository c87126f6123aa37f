/** Events into the table. */
import type Database from 'better-sqlite3'
import type { Written } from '../store/book.ts'
import type { Cursor } from './event.ts'
import type { Row } from './row.ts'

/** Kept together or not at all. */
export interface Job {
  readonly rows: readonly Row[]
  readonly cursor?: Cursor
}

const INSERT = `INSERT INTO events (boot_id, time, monotonic_ms, source, type, level, subject, message, detail)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const KNOW_BOOT = `INSERT INTO boots (boot_id, first, last) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
  SET first = min(first, excluded.first), last = max(last, excluded.last)`
const KEEP_CURSOR = 'INSERT OR REPLACE INTO cursors (name, value) VALUES (?, ?)'

/** All in one transaction. Answers with the id of the first; the others follow, as nobody else writes meanwhile. */
export function append(db: Database.Database, jobs: readonly Job[]): Written<number> {
  const rows = jobs.flatMap((job) => job.rows)
  const first = db.transaction(() => insert(db, jobs, rows)).immediate()
  const last = rows.at(-1)
  return {
    reply: first,
    rows: rows.length,
    isThere: (now) => last !== undefined && has(now, first + rows.length - 1, last),
  }
}

function insert(db: Database.Database, jobs: readonly Job[], rows: readonly Row[]): number {
  const put = db.prepare(INSERT)
  let first = 0
  for (const row of rows) {
    const { lastInsertRowid } = put.run(...valuesOf(row))
    first ||= Number(lastInsertRowid)
  }
  const boot = db.prepare(KNOW_BOOT)
  for (const [id, [from, to]] of spans(rows)) boot.run(id, from, to)
  const keep = db.prepare(KEEP_CURSOR)
  for (const { cursor } of jobs) if (cursor) keep.run(cursor.name, cursor.value)
  return first
}

function has(db: Database.Database, id: number, row: Row): boolean {
  const sql = 'SELECT count(*) FROM events WHERE id = ? AND time = ? AND message = ?'
  return db.prepare(sql).pluck().get(id, row.time, row.message) === 1
}

function valuesOf(row: Row): (string | number | null)[] {
  const { bootId, time, monotonicMs, source, type, level, subject, message, detail } = row
  return [bootId, time, monotonicMs, source, type, level, subject, message, detail]
}

/** First and last time of each boot. */
function spans(rows: readonly Row[]): Map<string, [string, string]> {
  const found = new Map<string, [string, string]>()
  for (const { bootId, time } of rows) {
    const [first, last] = found.get(bootId) ?? [time, time]
    found.set(bootId, [time < first ? time : first, time > last ? time : last])
  }
  return found
}
