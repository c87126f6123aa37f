/** What goes first when it is too old or too much. */
import type Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { append } from '../../../../src/record/metrics/database/write.ts'
import { machine, MONDAY_MS } from '../../../helpers/samples.ts'
import { container, emptyDatabase, host, HOUR_MS, keep, put, rows } from './kit.ts'

/** A sample each minute, or every ten seconds, from Monday on. */
function measured(hours: number, every = 60): Database.Database {
  const db = emptyDatabase()
  db.transaction(() => {
    for (let at = 0; at <= hours * 3600; at += every) put(db, { at, rows: [host({ load_1: at / 3600 })] })
  })()
  return db
}

const kept = (db: Database.Database) =>
  rows<{ what: string; number: number; first: string }>(db, 'SELECT what, number, first FROM kept')

test('samples go after a day, minutes after a week, and what is kept of a time is told once', () => {
  const db = measured(200)
  keep(db, MONDAY_MS + 200 * HOUR_MS)
  expect(kept(db)).toEqual([
    { what: 'samples', number: 24 * 60 + 1, first: '2026-06-22T08:00:00.000Z' },
    { what: 'minutes', number: 168 * 60, first: '2026-06-16T08:00:00.000Z' },
  ])
  const all = rows<{ time: string; load_1: number }>(db, 'SELECT time, load_1 FROM host_all ORDER BY time_ms')
  expect(all).toHaveLength(168 * 60 + 1)
  expect(new Set(all.map(({ time }) => time)).size).toBe(168 * 60 + 1)
  expect(all[0]!.load_1).toBe(32)
  expect(all.at(-1)!.load_1).toBe(200)
})

test('samples that no minute was made of yet do not go', () => {
  const db = measured(0.5)
  db.exec('DELETE FROM minutes; DELETE FROM host_minutes')
  keep(db, MONDAY_MS + 1000 * HOUR_MS, { minuteAgeMs: 1e12 })
  // The last is in a minute that is not over.
  expect(kept(db)).toMatchObject([{ number: 1 }, { number: 30 }])
})

test('minutes stay as long as samples, whatever is wished for', () => {
  const db = measured(10)
  keep(db, MONDAY_MS + 10 * HOUR_MS, { sampleAgeMs: 5 * HOUR_MS, minuteAgeMs: HOUR_MS })
  expect(kept(db)).toMatchObject([{ number: 301 }, { number: 300 }])
})

test('a time in the far future does not keep what is behind it', () => {
  const db = emptyDatabase()
  const hours = [0, 0.1, 900, 900.1, 1, 30]
  for (const [index, hour] of hours.entries())
    put(db, { at: hour * 3600, monotonicMs: index * 10_000, intervalMs: undefined })
  keep(db, MONDAY_MS + 30 * HOUR_MS)
  expect(kept(db)).toMatchObject([{ number: 1, first: '2026-06-16T06:00:00.000Z' }, { number: 5 }])
  keep(db, MONDAY_MS + 168.5 * HOUR_MS)
  expect(rows(db, 'SELECT time FROM host_per_minute')).toEqual([])
  expect(kept(db)).toMatchObject([{ number: 1 }, { number: 1, first: '2026-06-15T01:00:00.000Z' }])
})

test('by size: the oldest go, of samples and minutes the same share, and it is said', () => {
  const db = emptyDatabase()
  const many = machine({ containers: 8 })
  const wishes = { maxBytes: 2 * 1024 * 1024, sampleAgeMs: 4 * HOUR_MS, minuteAgeMs: 12 * HOUR_MS, maxPageBytes: 1.4e6 }
  let notes: readonly string[] | undefined
  for (let hour = 1; hour <= 14; hour++) {
    db.transaction(() => {
      for (let count = 0; count < 360; count++) append(db, many.next())
    })()
    notes = keep(db, MONDAY_MS + hour * HOUR_MS, wishes)
  }
  const number = (name: string) => db.pragma(name, { simple: true }) as number
  expect((number('page_count') - number('freelist_count')) * 4096).toBeLessThanOrEqual(wishes.maxPageBytes)
  const [samples, minutes] = kept(db).map((one) => one.number)
  const [ofSamples, ofMinutes] = [samples! / (4 * 360), minutes! / (12 * 60)]
  expect(ofSamples).toBeGreaterThan(0.1)
  expect(ofSamples).toBeLessThan(0.9)
  expect(Math.abs(ofSamples - ofMinutes)).toBeLessThan(0.1)
  expect(notes).toEqual([
    expect.stringMatching(
      /^2 MiB hold \d h of samples \(4 h are wished for\) and \d+ h of minutes \(12 h\); the oldest are deleted$/,
    ),
  ])
  expect(rows(db, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
})

test('containers, marks and boots of which nothing is kept are forgotten', () => {
  const db = emptyDatabase()
  put(db, { at: 0, bootId: 'first', rows: [container('old', {}), container('both', {})] })
  put(db, { at: 60, bootId: 'second', monotonicMs: 0, intervalMs: undefined, rows: [container('both', {})] })
  put(db, { at: 120, bootId: 'second', monotonicMs: 900_000, rows: [container('new', {})] })
  put(db, { at: 180, bootId: 'second', monotonicMs: 960_000, intervalMs: undefined })
  db.exec(`INSERT INTO marks VALUES (9, 1, 1, 'boot', 0, 0, '')`)
  const left = () => ({
    containers: rows(db, 'SELECT id FROM containers ORDER BY id').map(({ id }) => id),
    boots: rows(db, 'SELECT boot_id FROM boots ORDER BY id').map(({ boot_id }) => boot_id),
    marks: rows(db, 'SELECT kind FROM marks ORDER BY id').map(({ kind }) => kind),
  })
  keep(db, MONDAY_MS)
  expect(left()).toEqual({ containers: ['both', 'new', 'old'], boots: ['first', 'second'], marks: ['paused', 'boot'] })
  keep(db, MONDAY_MS + 60_000 + HOUR_MS, { sampleAgeMs: HOUR_MS, minuteAgeMs: HOUR_MS })
  expect(left()).toEqual({ containers: ['both', 'new'], boots: ['second'], marks: ['paused'] })
  keep(db, MONDAY_MS + 1e9, { sampleAgeMs: HOUR_MS, minuteAgeMs: HOUR_MS })
  put(db, { at: 1e6, rows: [container('both', {})] })
  expect(rows(db, 'SELECT id FROM container WHERE time_ms > ?', MONDAY_MS + 1e6)).toEqual([{ id: 'both' }])
})
