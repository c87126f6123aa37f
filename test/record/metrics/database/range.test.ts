/** What was measured, for each step of a span, whether samples or minutes of it are kept. */
import type Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { MeasuredQuery } from '../../../../src/collector.ts'
import { range } from '../../../../src/record/metrics/database/range.ts'
import { append } from '../../../../src/record/metrics/database/write.ts'
import { machine, MONDAY_MS } from '../../../helpers/samples.ts'
import { container, emptyDatabase, host, HOUR_MS, keep, put } from './kit.ts'

const MINUTE_MS = 60_000

function loads(db: Database.Database, query: Partial<MeasuredQuery> = {}) {
  const columns = { host: ['load_1', 'oom_kills'] }
  return range(db, { sinceMs: MONDAY_MS, untilMs: MONDAY_MS + HOUR_MS, stepMs: MINUTE_MS, columns, ...query }).series
}

/** Ten minutes, each ten seconds, with a hole of three minutes; 60 is the last second of load. */
function tenMinutes(): Database.Database {
  const db = emptyDatabase()
  for (let at = 0; at <= 600; at += 10) {
    if (at >= 240 && at < 420) continue
    put(db, { at, rows: [host({ load_1: at / 100, oom_kills: at === 90 ? 3 : 0 })] })
  }
  return db
}

test('a step has average, lowest and highest of its samples; one without samples is not there', () => {
  const [series] = loads(tenMinutes())
  expect(series!.labels).toEqual({})
  expect(series!.timesMs.map((timeMs) => (timeMs - MONDAY_MS) / MINUTE_MS)).toEqual([0, 1, 2, 3, 7, 8, 9, 10])
  expect(series!.samples).toEqual([6, 6, 6, 6, 6, 6, 6, 1])
  expect(series!.columns.load_1!.avg.map((load) => Math.round(load! * 100) / 100)).toEqual([
    0.25, 0.85, 1.45, 2.05, 4.45, 5.05, 5.65, 6,
  ])
  expect(series!.columns.load_1!.min[1]).toBe(0.6)
  expect(series!.columns.load_1!.max[1]).toBe(1.1)
  // The average times the samples is how many there were.
  expect(series!.columns.oom_kills!.avg[1]! * 6).toBe(3)
  expect(series!.columns.oom_kills!.max).toEqual([0, 3, 0, 0, 0, 0, 0, 0])
})

test.each([10_000, 30_000, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS])(
  'steps of %d ms are the same before and after the roll-up',
  (stepMs) => {
    const before = tenMinutes()
    const after = tenMinutes()
    keep(after, MONDAY_MS)
    expect(rounded(loads(after, { stepMs }))).toEqual(rounded(loads(before, { stepMs })))
  },
)

test('where samples are gone minutes tell, each time once', () => {
  const db = emptyDatabase()
  for (let at = 0; at <= 7200; at += 10) put(db, { at, rows: [host({ load_1: 1, oom_kills: 1 })] })
  keep(db, MONDAY_MS + 2 * HOUR_MS, { sampleAgeMs: HOUR_MS / 2 })
  const query = { untilMs: MONDAY_MS + 2 * HOUR_MS }
  const [fine] = loads(db, { ...query, stepMs: 30_000 })
  const [coarse] = loads(db, query)
  expect(fine!.samples.reduce((sum, n) => sum + n, 0)).toBe(720)
  expect(fine!.timesMs).toHaveLength(90 + 60)
  expect(coarse!.samples.every((n) => n === 6)).toBe(true)
  expect(coarse!.timesMs).toHaveLength(120)
  expect(coarse!.columns.oom_kills!.avg.every((one) => one === 1)).toBe(true)
})

test('of many the highest are told, and how many are left out', () => {
  const db = emptyDatabase()
  const many = Array.from({ length: 30 }, (_, at) =>
    container(`c${at}`, { cpu_percent: at, memory_usage_bytes: 1024 }, `n${at}`),
  )
  for (const at of [0, 10]) put(db, { at, rows: many })
  const columns = { container: ['cpu_percent', 'memory_usage_bytes'] }
  const query = { sinceMs: MONDAY_MS, untilMs: MONDAY_MS + HOUR_MS, stepMs: MINUTE_MS, columns }
  const { series, leftOut } = range(db, { ...query, mostThings: 3 })
  expect(leftOut).toBe(27)
  expect(series.map(({ labels }) => labels)).toEqual([
    { id: 'c29', cgroup: '/docker/c29', name: 'n29' },
    { id: 'c28', cgroup: '/docker/c28', name: 'n28' },
    { id: 'c27', cgroup: '/docker/c27', name: 'n27' },
  ])
  expect(series[0]).toMatchObject({
    samples: [2],
    columns: { cpu_percent: { avg: [29] }, memory_usage_bytes: { max: [1024] } },
  })
  expect(range(db, query).series).toHaveLength(16)
})

test('what is not known is null, and does not count as nothing', () => {
  const db = emptyDatabase()
  put(db, { at: 0, rows: [host({ load_1: 4 })] })
  put(db, { at: 10, rows: [host({})] })
  put(db, { at: 60, rows: [host({})] })
  const [series] = loads(db)
  expect(series!.columns.load_1).toEqual({ avg: [4, null], min: [4, null], max: [4, null] })
})

test('marks that touch the span are told', () => {
  const db = emptyDatabase()
  const many = machine()
  for (const [fromMs, toMs] of [
    [0, 1],
    [MONDAY_MS - 5, MONDAY_MS + 5],
    [MONDAY_MS + 900, MONDAY_MS - 900],
    [MONDAY_MS + 2 * HOUR_MS, MONDAY_MS + 3 * HOUR_MS],
  ] as const)
    append(db, many.next({ marks: [{ kind: 'suspended', fromMs, toMs, message: 'x' }] }))
  const { marks } = range(db, { sinceMs: MONDAY_MS, untilMs: MONDAY_MS + HOUR_MS, stepMs: 1000, columns: {} })
  expect(marks.map(({ fromMs }) => fromMs - MONDAY_MS)).toEqual([-5, 900])
})

describe('a question is refused', () => {
  test.each([
    [{ stepMs: 10 }, 'stepMs is "10"; accepted: 1000 or more'],
    [{ sinceMs: 0 }, /^steps is "\d+\.?\d*"; accepted: up to 10080$/],
    [{ columns: { host: ['nonsense'] } }, /^column of host is "nonsense"; accepted: load_1, load_5/],
    [
      { columns: { planet: ['size_bytes'] } },
      'subject is "planet"; accepted: host, mount, disk, interface, container, process',
    ],
  ])('for %j', (query, message) => {
    expect(() => loads(emptyDatabase(), query)).toThrow(message)
  })
})

/** Averages of averages differ in the last digits that are kept. */
function rounded(series: ReturnType<typeof loads>): unknown {
  return JSON.parse(JSON.stringify(series), (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  )
}
