import type Database from 'better-sqlite3'
import { preparing } from './statements.ts'

/** `rolled_up`: the last sample that is in a minute. `cut`: when something went for want of room, milliseconds since 1970. */
type Name = 'rolled_up' | 'cut'

/** 0 where there is none yet. */
export function progressOf(db: Database.Database, name: Name): number {
  const row = preparing(db)('SELECT value FROM progress WHERE name = ?').get(name) as { value: number } | undefined
  return row?.value ?? 0
}

export function setProgress(db: Database.Database, name: Name, value: number): void {
  preparing(db)('INSERT OR REPLACE INTO progress (name, value) VALUES (?, ?)').run(name, value)
}
