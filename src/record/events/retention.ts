/** Keeps the database within its age and its size, in steps of some milliseconds: commits come in between. */
import type Database from 'better-sqlite3'
import { timeOf } from './row.ts'

export interface Bounds {
  readonly maxAgeMs: number
  /** For the pages that hold something. */
  readonly maxPageBytes: number
}

/** What one step may take: a commit waits no longer for it. */
const STEP_MS = 15
const ROWS_AT_ONCE = 50
const PAGES_AT_ONCE = 64
/** So many free pages are left for what comes next. */
const SPARE_PAGES = 256
/** Farther in the future than that, a time is a mistake. */
const AHEAD_MS = 24 * 60 * 60 * 1000

/** Deletes the oldest that are too old or too many, else gives pages back. Returns how many events went, and whether there is more to do. */
export function retain(db: Database.Database, bounds: Bounds, nowMs: number): { deleted: number; more: boolean } {
  const deleted = deleteOldest(db, bounds, nowMs)
  if (deleted > 0) return { deleted, more: true }
  return { deleted, more: giveBack(db) }
}

function deleteOldest(db: Database.Database, bounds: Bounds, nowMs: number): number {
  if (next(db, bounds, nowMs) === 0) return 0
  const began = performance.now()
  let deleted = 0
  // They are gone after a power cut or they are not: nobody waits for it.
  db.pragma('synchronous = NORMAL')
  try {
    db.transaction(() => {
      const drop = db.prepare('DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)')
      while (performance.now() - began < STEP_MS) {
        const rows = next(db, bounds, nowMs)
        if (rows === 0) break
        deleted += drop.run(rows).changes
      }
      if (deleted > 0) forgetBoots(db)
    }).immediate()
  } finally {
    db.pragma('synchronous = FULL')
  }
  return deleted
}

/** How many of the oldest go next. */
function next(db: Database.Database, { maxAgeMs, maxPageBytes }: Bounds, nowMs: number): number {
  if (usedBytes(db) > maxPageBytes) return ROWS_AT_ONCE
  const oldest = db.prepare('SELECT time FROM events ORDER BY id LIMIT ?').pluck().all(ROWS_AT_ONCE) as string[]
  const young = oldest.findIndex((text) => {
    const timeMs = timeOf(text)
    return timeMs >= nowMs - maxAgeMs && timeMs <= nowMs + AHEAD_MS
  })
  return young === -1 ? oldest.length : young
}

function usedBytes(db: Database.Database): number {
  const number = (name: string) => db.pragma(name, { simple: true }) as number
  return (number('page_count') - number('freelist_count')) * number('page_size')
}

/** Boots of which nothing is left, but for the newest: they tell how often the machine was started. */
function forgetBoots(db: Database.Database): void {
  db.prepare(
    `DELETE FROM boots WHERE boot_id NOT IN (SELECT boot_id FROM boots ORDER BY last DESC LIMIT 100)
     AND NOT EXISTS (SELECT 1 FROM events WHERE events.boot_id = boots.boot_id)`,
  ).run()
}

function giveBack(db: Database.Database): boolean {
  const free = db.pragma('freelist_count', { simple: true }) as number
  if (free <= SPARE_PAGES) return false
  db.pragma(`incremental_vacuum(${Math.min(PAGES_AT_ONCE, free - SPARE_PAGES)})`)
  return free - PAGES_AT_ONCE > SPARE_PAGES
}

/** The time by which age is judged: the wall clock, as long as it does not run away from the monotonic one. */
export function createBelievedClock(now = Date.now, monotonic = () => performance.now()): () => number {
  const offset = now() - monotonic()
  return () => Math.min(now(), monotonic() + offset + BELIEVED_JUMP_MS)
}

const BELIEVED_JUMP_MS = 60 * 60 * 1000
