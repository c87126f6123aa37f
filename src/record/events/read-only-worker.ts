/** Questions to a database of events. */
import { workerData } from 'node:worker_threads'
import type Database from 'better-sqlite3'
import type { RecordedFilter } from '../../collector.ts'
import { answerFrom } from '../../sources/sqlite-answer.ts'
import type { ReadOnlyQuestions, ReadOnlyRows } from './read-only.ts'
import { queryOf } from './query.ts'

const { name, filters, bootId } = workerData as ReadOnlyQuestions
answerFrom(name, (db) => filters.map((filter) => rowsOf(db, filter)))

function rowsOf(db: Database.Database, { boot, ...rest }: RecordedFilter): ReadOnlyRows {
  const id = typeof boot === 'number' ? nthBoot(db, boot) : boot
  if (boot !== undefined && id === undefined) return []
  const { sql, values } = queryOf({ ...rest, ...(id === undefined ? {} : { boot: id }) })
  return db.prepare(sql).all(...values) as ReadOnlyRows
}

/** The present boot is 0, also where nothing is known of it; the others go back from −1, the latest first. */
function nthBoot(db: Database.Database, index: number): string | undefined {
  if (index === 0) return bootId
  const sql = 'SELECT boot_id FROM boots WHERE boot_id <> ? ORDER BY last DESC LIMIT 1 OFFSET ?'
  return db
    .prepare(sql)
    .pluck()
    .get(bootId, -index - 1) as string | undefined
}
