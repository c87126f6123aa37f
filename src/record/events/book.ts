/** events.db, as src/record/store/ keeps it. */
import type Database from 'better-sqlite3'
import type { Book } from '../store/book.ts'
import { EVENTS_LABEL } from './label.ts'
import { queryOf } from './query.ts'
import { retain, type RetentionSettings } from './retention.ts'
import type { Row } from './row.ts'
import { APPLICATION_ID, MIGRATIONS } from './schema.ts'
import { append } from './write.ts'

export const eventsBook = {
  ...EVENTS_LABEL,
  applicationId: APPLICATION_ID,
  migrations: MIGRATIONS,
  table: 'events',
  reads: { query, boots, cursor },
  writes: { append },
  maintain: retain,
} satisfies Book<RetentionSettings>

function query(
  db: Database.Database,
  filter: Parameters<typeof queryOf>[0],
): readonly (Row & { readonly id: number })[] {
  const { sql, values } = queryOf(filter)
  return db.prepare(sql).all(...values) as (Row & { id: number })[]
}

interface BootRow {
  readonly bootId: string
  readonly first: string
  readonly last: string
}

/** The latest first. */
function boots(db: Database.Database): readonly BootRow[] {
  return db.prepare('SELECT boot_id AS bootId, first, last FROM boots ORDER BY last DESC').all() as BootRow[]
}

function cursor(db: Database.Database, name: string): string | undefined {
  return db.prepare('SELECT value FROM cursors WHERE name = ?').pluck().get(name) as string | undefined
}
