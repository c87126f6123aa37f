/** Tables follow the catalogue, views say what they hold, and an older database becomes today's. */
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { CATALOGUE } from '../../../../src/record/metrics/catalogue/index.ts'
import { metricsBook } from '../../../../src/record/metrics/database/book.ts'
import { append } from '../../../../src/record/metrics/database/write.ts'
import { migrate } from '../../../../src/record/store/tables.ts'
import { VIEWS } from '../../../../src/record/metrics/database/views.ts'
import { machine, MONDAY_MS } from '../../../helpers/samples.ts'
import { emptyDatabase, HOUR_MS, keep, rows } from './kit.ts'

const names = (db: Database.Database, table: string) =>
  rows<{ name: string }>(db, 'SELECT name FROM pragma_table_info(?)', table).map(({ name }) => name)

test('all that the catalogue keeps has a column in the views, under its name', () => {
  const db = emptyDatabase()
  for (const { subject, kept } of CATALOGUE) {
    if (!kept) continue
    expect(names(db, subject)).toContain(kept.column)
    expect(names(db, `${subject}_all`)).toContain(kept.column)
    expect(names(db, `${subject}_per_minute`)).toContain(`${kept.column}_max`)
  }
})

test('numbers in the tables are whole, and their names tell what one of them is', () => {
  const db = emptyDatabase()
  const many = machine({ containers: 1 })
  for (let count = 0; count < 10; count++) append(db, many.next())
  keep(db, MONDAY_MS)
  for (const table of ['host_samples', 'host_minutes', 'container_samples', 'container_minutes', 'disk_minutes']) {
    const [row] = rows(db, `SELECT * FROM ${table}`)
    for (const value of Object.values(row!)) expect(value === null || Number.isInteger(value)).toBe(true)
  }
  expect(names(db, 'host_samples')).toEqual(
    expect.arrayContaining(['load_1_x100', 'memory_free_kib', 'cpu_user_percent_x10']),
  )
})

describe('a database', () => {
  test('of an older catalogue gets the columns it lacks, and keeps what it has', () => {
    const db = emptyDatabase()
    append(db, machine().next())
    const before = rows(db, 'SELECT * FROM host')
    db.exec('DROP VIEW host; DROP VIEW host_all; DROP VIEW host_per_minute; DROP VIEW latest; DROP VIEW worst_minutes')
    for (const column of ['threads', 'load_5_x100']) db.exec(`ALTER TABLE host_samples DROP COLUMN ${column}`)
    db.exec('ALTER TABLE host_minutes DROP COLUMN threads_below')
    db.exec('CREATE VIEW host AS SELECT 1 AS old')
    migrate(db, metricsBook)
    expect(rows(db, 'SELECT * FROM host')).toEqual([{ ...before[0], threads: null, load_5: null }])
    append(db, machine().next())
    expect(rows(db, 'SELECT threads IS NULL AS lacks FROM host ORDER BY sample')).toEqual([{ lacks: 1 }, { lacks: 0 }])
  })

  test('of a newer catalogue keeps what today does not know', () => {
    const db = emptyDatabase()
    db.exec('ALTER TABLE host_samples ADD COLUMN sunspots INTEGER')
    migrate(db, metricsBook)
    append(db, machine().next())
    expect(rows(db, 'SELECT sunspots FROM host_samples')).toEqual([{ sunspots: null }])
  })

  test('that is as it should be is not written to', () => {
    const db = emptyDatabase()
    const version = () => db.pragma('schema_version', { simple: true })
    const before = version()
    migrate(db, metricsBook)
    expect(version()).toBe(before)
  })
})

test.each(VIEWS.map(({ name }) => name))('the view %s shows something', (view) => {
  const db = emptyDatabase()
  const many = machine({ containers: 2 })
  const process = { subject: 'process', labels: { pid: '7', name: 'stress' }, columns: { cpu_percent: 99 } } as const
  const mark = { kind: 'late', fromMs: MONDAY_MS, toMs: MONDAY_MS, message: 'm' } as const
  for (let count = 0; count < 40; count++) {
    const sample = many.next({ marks: [mark] })
    append(db, { ...sample, rows: [...sample.rows, process] })
  }
  keep(db, MONDAY_MS + HOUR_MS)
  const found = rows(db, `SELECT * FROM ${view}`)
  expect(found.length).toBeGreaterThan(0)
  expect(Object.keys(found[0]!)).toEqual(expect.arrayContaining([expect.stringMatching(/^(time|from_time|first)$/)]))
})

test('the newest of a machine are found without reading all of it', () => {
  const db = emptyDatabase()
  const plan = (sql: string) =>
    rows<{ detail: string }>(db, `EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .join('\n')
  expect(plan('SELECT * FROM latest')).not.toContain('USE TEMP B-TREE')
  expect(plan(`SELECT * FROM host WHERE time_ms > ${MONDAY_MS}`)).toContain('samples_time (time_ms>?)')
  expect(plan('SELECT * FROM containers_now')).toContain('(sample=?')
})
