/** A sample into the tables. */
import type Database from 'better-sqlite3'
import type { Written } from '../../store/book.ts'
import type { Mark, Sample, SampleRow } from '../metric.ts'
import { columnsOf, storedOf, type KeptSubject } from './columns.ts'
import { preparing } from './statements.ts'
import { thingIds, type ThingIds } from './things.ts'

/** `boottimeMs`: CLOCK_BOOTTIME, so that whoever goes on after a restart knows how long the machine was suspended meanwhile. */
export type KeptSample = Sample & { readonly boottimeMs: number }

/** All of it in one transaction. Answers with its id. */
export function append(db: Database.Database, sample: KeptSample): Written<number> {
  const things = thingIds(db)
  try {
    const id = db.transaction(() => insert(db, things, sample)).immediate()
    return { reply: id, rows: 1, isThere: (now) => lastSample(now)?.id === id }
  } catch (error) {
    // What it learned was undone with the rest.
    things.forget()
    throw error
  }
}

export interface LastSample {
  readonly id: number
  readonly timeMs: number
  readonly monotonicMs: number
  readonly boottimeMs: number
  readonly bootId: string
}

/** The newest that is kept. */
export function lastSample(db: Database.Database): LastSample | undefined {
  const sql = `SELECT samples.id, time_ms AS timeMs, monotonic_ms AS monotonicMs,
    boottime_ms AS boottimeMs, boot_id AS bootId
    FROM samples JOIN boots ON boots.id = boot ORDER BY samples.id DESC LIMIT 1`
  return preparing(db)(sql).get() as LastSample | undefined
}

function insert(db: Database.Database, things: ThingIds, sample: KeptSample): number {
  const sql = preparing(db)
  const { timeMs, monotonicMs, boottimeMs, bootId, intervalMs } = sample
  const before = lastSample(db)
  const boot = idOf(db, 'boots', 'boot_id', bootId)
  const times = [timeMs, monotonicMs, boottimeMs, intervalMs].map((value) =>
    value === undefined ? null : Math.round(value),
  )
  const put = sql('INSERT INTO samples (boot, time_ms, monotonic_ms, boottime_ms, interval_ms) VALUES (?, ?, ?, ?, ?)')
  const id = Number(put.run(boot, ...times).lastInsertRowid)
  for (const row of sample.rows) insertRow(db, things, { id, timeMs }, row)
  const mark = sql('INSERT INTO marks (sample, boot, kind, from_ms, to_ms, message) VALUES (?, ?, ?, ?, ?, ?)')
  for (const { kind, fromMs, toMs, message } of marksOf(sample, before))
    mark.run(id, boot, kind, Math.round(fromMs), Math.round(toMs), message)
  return id
}

function insertRow(
  db: Database.Database,
  things: ThingIds,
  { id, timeMs }: { id: number; timeMs: number },
  row: SampleRow,
): void {
  const { subject, labels, columns, problem } = row
  const values = columnsOf(subject).map((column) => storedOf(column, columns[column.name]))
  const why = problem === undefined ? null : problemId(db, problem)
  const keys = subject === 'host' ? [id] : [id, things.of(subject, labels, timeMs)]
  preparing(db)(insertSql(subject)).run(...keys, why, ...values)
}

const inserts = new Map<KeptSubject, string>()

/** What is mounted over something else has its name; the last one is what people see. */
function insertSql(subject: KeptSubject): string {
  const known = inserts.get(subject)
  if (known !== undefined) return known
  const keys = subject === 'host' ? ['sample'] : ['sample', 'thing']
  const names = [...keys, 'problem', ...columnsOf(subject).map(({ stored }) => stored)]
  const sql = `INSERT OR REPLACE INTO ${subject}_samples (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  inserts.set(subject, sql)
  return sql
}

/** Texts of problems repeat themselves. Should one tell a number that never does, the rest is told as one. */
const MOST_PROBLEMS = 1000
const PROBLEM_CHARACTERS = 256

function problemId(db: Database.Database, problem: string): number {
  const text = problem.slice(0, PROBLEM_CHARACTERS).toWellFormed()
  const known = preparing(db)('SELECT id FROM problems WHERE problem = ?').get(text) as { id: number } | undefined
  if (known) return known.id
  const { number } = preparing(db)('SELECT count(*) AS number FROM problems').get() as { number: number }
  return idOf(db, 'problems', 'problem', number < MOST_PROBLEMS ? text : `more than ${MOST_PROBLEMS} kinds of problems`)
}

/** The id of a text, which gets one where it has none. */
function idOf(db: Database.Database, table: string, column: string, text: string): number {
  const sql = preparing(db)
  const known = sql(`SELECT id FROM ${table} WHERE ${column} = ?`).get(text) as { id: number } | undefined
  return known?.id ?? Number(sql(`INSERT INTO ${table} (${column}) VALUES (?)`).run(text).lastInsertRowid)
}

/** Only the database knows that some in between could not be stored. */
function marksOf(
  { marks, timeMs, monotonicMs, intervalMs, bootId }: Sample,
  before: LastSample | undefined,
): readonly Mark[] {
  if (!before || before.bootId !== bootId || intervalMs === undefined) return marks
  const missingMs = monotonicMs - before.monotonicMs - intervalMs
  if (missingMs <= intervalMs / 2) return marks
  const message = `what was measured could not be kept for ${Math.round(missingMs / 1000)} s: the database was not writable`
  return [...marks, { kind: 'paused', fromMs: before.timeMs, toMs: timeMs, message }]
}
