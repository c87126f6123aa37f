/** The pages of a database: those that hold something, and those that are free. */
import type Database from 'better-sqlite3'

const PAGES_AT_ONCE = 64
/** So many free pages are left for what comes next. */
const SPARE_PAGES = 256

export function usedBytes(db: Database.Database): number {
  return (number(db, 'page_count') - number(db, 'freelist_count')) * number(db, 'page_size')
}

/** Gives some free pages back to the disk, at the end of the file. Returns whether there are more. */
export function giveBack(db: Database.Database): boolean {
  const free = number(db, 'freelist_count')
  if (free <= SPARE_PAGES) return false
  db.pragma(`incremental_vacuum(${Math.min(PAGES_AT_ONCE, free - SPARE_PAGES)})`)
  return free - PAGES_AT_ONCE > SPARE_PAGES
}

/** What is in the log and not in the database yet. */
export function pendingBytes(db: Database.Database): number {
  const [{ log = 0, checkpointed = 0 } = {}] = db.pragma('wal_checkpoint(NOOP)') as { [name: string]: number }[]
  return (log - checkpointed) * number(db, 'page_size')
}

function number(db: Database.Database, name: string): number {
  return db.pragma(name, { simple: true }) as number
}
