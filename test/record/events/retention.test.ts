/** What goes first when there is too much, and that it goes in small steps. */
import type Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { timeText } from '../../../src/record/events/row.ts'
import { retain } from '../../../src/record/events/retention.ts'
import { createBelievedClock } from '../../../src/record/store/believed-clock.ts'
import { giveBack } from '../../../src/record/store/pages.ts'
import { ask, emptyDatabase, event, NOON_MS, stateFolder, storeIn, until } from './kit.ts'

const HOUR_MS = 3600e3
const NOT_TOO_LARGE = 1e12

/** A database in memory with an event of each time, told by hours before noon. */
function database(hoursAgo: readonly number[], filler = ''): Database.Database {
  const db = emptyDatabase()
  const put = db.prepare(`INSERT INTO events VALUES (NULL, 'boot', ?, NULL, 'api', 't', 'info', '', ?, NULL)`)
  db.transaction(() => {
    for (const hours of hoursAgo) put.run(timeText(NOON_MS - hours * HOUR_MS), filler)
  })()
  return db
}

/** Retains until there is nothing more to do; how many events went in each step. */
function all(db: Database.Database, bounds: { maxAgeMs?: number; maxPageBytes?: number }, nowMs = NOON_MS): number[] {
  const steps: number[] = []
  for (let more = true; more;) {
    const limits = { maxAgeMs: 1e14, maxPageBytes: NOT_TOO_LARGE, nowMs, ...bounds }
    const step = retain(db, limits, limits)
    more = step.more || giveBack(db)
    steps.push(step.rows)
  }
  return steps
}

function left(db: Database.Database): number[] {
  const times = db.prepare('SELECT time FROM events ORDER BY id').pluck().all() as string[]
  return times.map((time) => Math.round((NOON_MS - Date.parse(time)) / HOUR_MS))
}

describe('by age', () => {
  test('what is older goes, the rest stays', () => {
    const db = database([200, 170, 169, 168, 167, 1, 0])
    all(db, { maxAgeMs: 168 * HOUR_MS })
    expect(left(db)).toEqual([168, 167, 1, 0])
  })

  test('a time before the clock was set does not make an event old: it stays as long as what came before it', () => {
    const db = database([2, 400_000, 1, 0])
    all(db, { maxAgeMs: 168 * HOUR_MS })
    expect(left(db)).toEqual([2, 400_000, 1, 0])
    all(db, { maxAgeMs: 168 * HOUR_MS }, NOON_MS + 167.5 * HOUR_MS)
    expect(left(db)).toEqual([0])
  })

  test('a time in the far future does not keep what is behind it', () => {
    const db = database([300, -900_000, 299, 1])
    all(db, { maxAgeMs: 168 * HOUR_MS })
    expect(left(db)).toEqual([1])
  })

  test('all may go', () => {
    const db = database(Array.from({ length: 1000 }, () => 1000))
    all(db, { maxAgeMs: HOUR_MS })
    expect(left(db)).toEqual([])
  })
})

test('a clock that jumps ahead is believed for an hour only, one that goes back at once', () => {
  let wall = NOON_MS
  let monotonic = 500
  const clock = createBelievedClock(
    () => wall,
    () => monotonic,
  )
  wall += 70 * 365 * 24 * HOUR_MS
  expect(clock()).toBe(NOON_MS + HOUR_MS)
  monotonic += 5000
  expect(clock()).toBe(NOON_MS + HOUR_MS + 5000)
  wall = NOON_MS - 24 * HOUR_MS
  expect(clock()).toBe(NOON_MS - 24 * HOUR_MS)
})

test('by size: the oldest go until it fits, and the pages are given back', () => {
  const db = database(
    Array.from({ length: 20_000 }, (_, index) => 20_000 - index),
    'x'.repeat(400),
  )
  const pages = () => db.pragma('page_count', { simple: true }) as number
  const before = pages()
  const maxPageBytes = 2 * 1024 * 1024
  const steps = all(db, { maxPageBytes })
  expect(before * 4096).toBeGreaterThan(9e6)
  expect(pages() * 4096).toBeLessThan(maxPageBytes + 260 * 4096)
  const kept = left(db)
  expect(kept).toEqual(Array.from(kept, (_, index) => kept.length - index))
  expect(kept.length).toBeGreaterThan(2000)
  // Never all at once.
  expect(steps.length).toBeGreaterThan(5)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
})

test('boots of which nothing is left are forgotten but for the newest hundred', () => {
  const db = database([1000])
  const put = db.prepare('INSERT INTO boots VALUES (?, ?, ?)')
  for (let boot = 0; boot < 150; boot++) put.run(`b${boot}`, timeText(boot), timeText(boot))
  put.run('boot', timeText(0), timeText(0))
  all(db, { maxAgeMs: HOUR_MS })
  const boots = db.prepare('SELECT boot_id FROM boots').pluck().all()
  expect(boots).toHaveLength(100)
  expect(boots).toContain('b149')
  expect(boots).not.toContain('b0')
})

test('a store keeps itself within its size while events come in', async () => {
  const maxBytes = 12 * 1024 * 1024
  const store = storeIn(await stateFolder(), { maxBytes })
  const message = 'x'.repeat(2000)
  let last = 0
  for (let round = 0; round < 40; round++) {
    const ids = await store.append(Array.from({ length: 400 }, () => event(message)))
    last = ids.at(-1)!
  }
  await until(() => store.health().sizeBytes <= maxBytes)
  const [facts] = ask<{ n: number; first: number; last: number }>(
    store.path,
    'SELECT count(*) AS n, min(id) AS first, max(id) AS last FROM events',
  )
  expect(facts!.last).toBe(last)
  expect(facts!.n).toBe(last - facts!.first + 1)
  expect(facts!.n).toBeLessThan(8000)
  expect(facts!.n).toBeGreaterThan(1000)
  await until(() => store.health().events === facts!.n)
})
