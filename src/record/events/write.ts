/** Events into the table. */
import type Database from 'better-sqlite3'
import type { Row } from './row.ts'
import type { Job } from '../store/protocol.ts'

const INSERT = `INSERT INTO events (boot_id, time, monotonic_ms, source, type, level, subject, message, detail)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const KNOW_BOOT = `INSERT INTO boots (boot_id, first, last) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
  SET first = min(first, excluded.first), last = max(last, excluded.last)`
const KEEP_CURSOR = 'INSERT OR REPLACE INTO cursors (name, value) VALUES (?, ?)'

/** All in one transaction. The id of the first; the others follow, as nobody else writes meanwhile. */
export function insert(db: Database.Database, jobs: readonly Job[]): number {
  return db
    .transaction(() => {
      const put = db.prepare(INSERT)
      let first = 0
      for (const row of jobs.flatMap(({ rows }) => rows)) {
        const { lastInsertRowid } = put.run(...valuesOf(row))
        first ||= Number(lastInsertRowid)
      }
      const boot = db.prepare(KNOW_BOOT)
      for (const [id, [from, to]] of spans(jobs)) boot.run(id, from, to)
      const keep = db.prepare(KEEP_CURSOR)
      for (const { cursor } of jobs) if (cursor) keep.run(cursor.name, cursor.value)
      return first
    })
    .immediate()
}

/** Whether that row is there. */
export function has(db: Database.Database, id: number, row: Row): boolean {
  const sql = 'SELECT count(*) FROM events WHERE id = ? AND time = ? AND message = ?'
  return db.prepare(sql).pluck().get(id, row.time, row.message) === 1
}

/** The next id is greater than this one: ids tell the order, also when the file is another. */
export function continueFrom(db: Database.Database, id: number): void {
  if (id === 0) return
  const { changes } = db.prepare(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'events'`).run(id)
  if (changes === 0) db.prepare(`INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)`).run(id)
}

export function lastId(db: Database.Database): number {
  return (db.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`).pluck().get() as number | undefined) ?? 0
}

function valuesOf(row: Row): (string | number | null)[] {
  const { bootId, time, monotonicMs, source, type, level, subject, message, detail } = row
  return [bootId, time, monotonicMs, source, type, level, subject, message, detail]
}

/** First and last time of each boot. */
function spans(jobs: readonly Job[]): Map<string, [string, string]> {
  const found = new Map<string, [string, string]>()
  for (const { bootId, time } of jobs.flatMap(({ rows }) => rows)) {
    const [first, last] = found.get(bootId) ?? [time, time]
    found.set(bootId, [time < first ? time : first, time > last ? time : last])
  }
  return found
}
