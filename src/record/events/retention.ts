/** Keeps the database within its age and its size, in steps of some milliseconds: commits come in between. */
import type Database from 'better-sqlite3'
import type { Bounds, Maintained } from '../store/book.ts'
import { usedBytes } from '../store/pages.ts'
import { timeOf } from './row.ts'

export interface RetentionSettings {
  /** Older events go, milliseconds. */
  readonly maxAgeMs: number
}

type Limits = Bounds & RetentionSettings

/** What one step may take: a commit waits no longer for it. */
const STEP_MS = 15
const ROWS_AT_ONCE = 50
/** Farther in the future than that, a time is a mistake. */
const AHEAD_MS = 24 * 60 * 60 * 1000

/** Deletes the oldest that are too old or too many. */
export function retain(db: Database.Database, { maxAgeMs }: RetentionSettings, bounds: Bounds): Maintained {
  const rows = deleteOldest(db, { ...bounds, maxAgeMs })
  return { rows, more: rows > 0 }
}

function deleteOldest(db: Database.Database, limits: Limits): number {
  if (next(db, limits) === 0) return 0
  const began = performance.now()
  let deleted = 0
  db.transaction(() => {
    const drop = db.prepare('DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)')
    while (performance.now() - began < STEP_MS) {
      const rows = next(db, limits)
      if (rows === 0) break
      deleted += drop.run(rows).changes
    }
    if (deleted > 0) forgetBoots(db)
  }).immediate()
  return deleted
}

/** How many of the oldest go next. */
function next(db: Database.Database, { maxAgeMs, maxPageBytes, nowMs }: Limits): number {
  if (usedBytes(db) > maxPageBytes) return ROWS_AT_ONCE
  const oldest = db.prepare('SELECT time FROM events ORDER BY id LIMIT ?').pluck().all(ROWS_AT_ONCE) as string[]
  const young = oldest.findIndex((text) => {
    const timeMs = timeOf(text)
    return timeMs >= nowMs - maxAgeMs && timeMs <= nowMs + AHEAD_MS
  })
  return young === -1 ? oldest.length : young
}

/** Boots of which nothing is left, but for the newest: they tell how often the machine was started. */
function forgetBoots(db: Database.Database): void {
  db.prepare(
    `DELETE FROM boots WHERE boot_id NOT IN (SELECT boot_id FROM boots ORDER BY last DESC LIMIT 100)
     AND NOT EXISTS (SELECT 1 FROM events WHERE events.boot_id = boots.boot_id)`,
  ).run()
}
