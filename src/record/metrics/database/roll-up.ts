/** Minutes out of samples, one after another, each once: a minute and the note that it is done are one transaction. */
import type Database from 'better-sqlite3'
import { columnsOf, minuteColumns, TABLES, type Column, type KeptSubject } from './columns.ts'
import { progressOf, setProgress } from './progress.ts'
import { preparing } from './statements.ts'

export const MINUTE_MS = 60_000

/** The oldest minute that is over and not rolled up yet. Returns whether there was one. */
export function rollUp(db: Database.Database): boolean {
  const run = nextRun(db)
  if (!run) return false
  db.transaction(() => rollUpRun(db, run)).immediate()
  return true
}

interface Run {
  readonly first: number
  readonly last: number
  readonly boot: number
  readonly startMs: number
  readonly monotonicMs: number
}

/** Samples that follow one another in the same minute of the same boot; complete once there is one that does not belong to them. */
function nextRun(db: Database.Database): Run | undefined {
  const sql = preparing(db)
  const first = sql(
    'SELECT id, boot, time_ms AS timeMs, monotonic_ms AS monotonicMs FROM samples WHERE id > ? ORDER BY id LIMIT 1',
  ).get(progressOf(db, 'rolled_up')) as { id: number; boot: number; timeMs: number; monotonicMs: number } | undefined
  if (!first) return undefined
  const startMs = Math.floor(first.timeMs / MINUTE_MS) * MINUTE_MS
  const after = sql(
    'SELECT id FROM samples WHERE id > ? AND (boot <> ? OR time_ms < ? OR time_ms >= ?) ORDER BY id LIMIT 1',
  ).get(first.id, first.boot, startMs, startMs + MINUTE_MS) as { id: number } | undefined
  if (!after) return undefined
  const { last } = sql('SELECT max(id) AS last FROM samples WHERE id < ?').get(after.id) as { last: number }
  return { first: first.id, last, boot: first.boot, startMs, monotonicMs: first.monotonicMs }
}

function rollUpRun(db: Database.Database, { first, last, boot, startMs, monotonicMs }: Run): void {
  const sql = preparing(db)
  sql(`INSERT INTO minutes (id, last_sample, boot, time_ms, monotonic_ms, samples)
    SELECT ?, ?, ?, ?, ?, count(*) FROM samples WHERE id BETWEEN ? AND ?`).run(
    first,
    last,
    boot,
    startMs,
    monotonicMs,
    first,
    last,
  )
  for (const { subject, things } of TABLES) {
    sql(minuteSql(subject)).run(first, first, last)
    if (things !== undefined)
      sql(`UPDATE ${things} SET last_minute = ? WHERE thing IN
        (SELECT thing FROM ${subject}_minutes WHERE minute = ?)`).run(first, first)
  }
  setProgress(db, 'rolled_up', last)
}

const statements = new Map<KeptSubject, string>()

/** With the id of the minute, and the first and last sample. */
function minuteSql(subject: KeptSubject): string {
  const known = statements.get(subject)
  if (known !== undefined) return known
  const columns = columnsOf(subject)
  const keys = subject === 'host' ? ['minute'] : ['minute', 'thing']
  const names = [...keys, 'samples', 'problem', ...columns.flatMap((column) => minuteColumns(column))]
  const values = [
    ...(subject === 'host' ? ['?'] : ['?', 'thing']),
    'count(*)',
    'max(problem)',
    ...columns.flatMap(aggregates),
  ]
  const sql = `INSERT INTO ${subject}_minutes (${names.join(', ')}) SELECT ${values.join(', ')}
    FROM ${subject}_samples WHERE sample BETWEEN ? AND ?${subject === 'host' ? ' HAVING count(*) > 0' : ' GROUP BY thing'}`
  statements.set(subject, sql)
  return sql
}

function aggregates({ stored, counts }: Column): string[] {
  if (counts) return [`sum(${stored})`, `min(${stored})`, `max(${stored})`]
  const average = `CAST(round(avg(${stored})) AS INTEGER)`
  return [average, `${average} - min(${stored})`, `max(${stored}) - ${average}`]
}
