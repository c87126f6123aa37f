import { describe, expect, test } from 'vitest'
import { difference } from '../../../src/record/metrics/difference.ts'
import type { Reading, ReadingRow, SampleRow, Subject } from '../../../src/record/metrics/metric.ts'

const BOOT = '11111111-1111-1111-1111-111111111111'
const INTERVAL = 10_000

describe('from two readings', () => {
  test('rates are over the time that passed by CLOCK_MONOTONIC', () => {
    const sample = between(disk({ read_bytes: 1000 }), disk({ read_bytes: 21_000 }), { monotonicMs: 20_000 })
    expect(sample.intervalMs).toBe(20_000)
    expect(columnsOf(sample.rows, 'disk')).toMatchObject({ read_bytes_per_second: 1000 })
  })

  test('CPU time is percent of all CPUs', () => {
    const host = (cpu_user_seconds: number) => row('host', { cpu_user_seconds, cpu_count: 4 })
    const { rows } = between(host(100), host(120))
    expect(columnsOf(rows, 'host')).toMatchObject({ cpu_user_percent: 50 })
  })

  test('time in which something was busy is percent, and what waited is a length', () => {
    const { rows } = between(
      disk({ io_time_seconds: 1, io_time_weighted_seconds: 1 }),
      disk({ io_time_seconds: 6, io_time_weighted_seconds: 31 }),
    )
    expect(columnsOf(rows, 'disk')).toEqual({ utilisation_percent: 50, queue_length: 3 })
  })

  test('latency is milliseconds for each write, and unknown where nothing was written', () => {
    const before = disk({ writes: 10, write_time_seconds: 1, reads: 5, read_time_seconds: 1 })
    const now = disk({ writes: 30, write_time_seconds: 1.5, reads: 5, read_time_seconds: 1 })
    const columns = columnsOf(between(before, now).rows, 'disk')
    expect(columns).toMatchObject({ write_wait_ms: 25, reads_per_second: 0 })
    expect(columns).not.toHaveProperty('read_wait_ms')
  })

  test('what is rare is told as by how much it grew, and gauges as they are', () => {
    const host = (oom_kills: number) => row('host', { oom_kills, load_1: 1.234 })
    expect(columnsOf(between(host(3), host(5)).rows, 'host')).toEqual({ oom_kills: 2, load_1: 1.23 })
  })

  test('of each CPU nothing is kept', () => {
    const cpu = row('cpu', { user_seconds: 1 }, { cpu: '0' })
    expect(between(cpu, cpu).rows).toEqual([])
  })

  test('a problem is passed on, with what could be read', () => {
    const labels = { mountpoint: '/mnt', device: 'a:/b', fstype: 'nfs4' }
    const dead = { ...row('mount', {}, labels), problem: 'is not asked' }
    expect(between(dead, dead).rows).toEqual([{ subject: 'mount', labels, columns: {}, problem: 'is not asked' }])
  })
})

describe('no rate is made up', () => {
  test('of the first reading: gauges only', () => {
    const sample = difference(undefined, reading([disk({ reads: 5, io_now: 2 })]), INTERVAL)
    expect(sample.intervalMs).toBeUndefined()
    expect(columnsOf(sample.rows, 'disk')).toEqual({ io_now: 2 })
  })

  test('after another boot, though its counters may be greater', () => {
    const before = { ...reading([disk({ reads: 5 })]), bootId: '2'.repeat(8) }
    const sample = difference(before, reading([disk({ reads: 500 })], { monotonicMs: INTERVAL }), INTERVAL)
    expect(sample.intervalMs).toBeUndefined()
    expect(columnsOf(sample.rows, 'disk')).toEqual({})
    expect(sample.marks.map(({ kind }) => kind)).toEqual(['boot'])
  })

  test('of a thing that was not there before, or has come again as another', () => {
    const { rows } = between(disk({ reads: 5 }), row('disk', { reads: 50 }, { device: 'vdb' }))
    expect(columnsOf(rows, 'disk')).toEqual({})
  })

  test('of a container that was started anew: also of counters that have overtaken themselves', () => {
    const container = (cpu_seconds: number, oom_kills: number) =>
      row('container', { cpu_seconds, oom_kills, threads: 1 }, { id: 'aaaaaaaaaaaa', cgroup: '/a' })
    expect(columnsOf(between(container(1, 3), container(2, 0)).rows, 'container')).toEqual({ threads: 1 })
  })

  test('of a counter of the machine that went back; its others go on', () => {
    const host = (cpu_iowait_seconds: number, cpu_idle_seconds: number) =>
      row('host', { cpu_iowait_seconds, cpu_idle_seconds, cpu_count: 1 })
    expect(columnsOf(between(host(10, 10), host(9.5, 15)).rows, 'host')).toEqual({ cpu_idle_percent: 50, cpu_count: 1 })
  })

  test('over a break that says nothing of any moment in it', () => {
    const sample = between(disk({ reads: 5 }), disk({ reads: 6 }), { monotonicMs: 101_000 })
    expect(sample.intervalMs).toBeUndefined()
    expect(columnsOf(sample.rows, 'disk')).toEqual({})
  })
})

test('a container is the same one when its name becomes known', () => {
  const container = (name: Record<string, string>, cpu_seconds: number) =>
    row('container', { cpu_seconds }, { id: 'aaaaaaaaaaaa', cgroup: '/a', ...name })
  const { rows } = between(container({}, 1), container({ name: 'web' }, 6))
  expect(columnsOf(rows, 'container')).toEqual({ cpu_percent: 50 })
})

describe('marks', () => {
  test('none for a sample in time', () => {
    expect(between(disk({}), disk({}), { monotonicMs: 14_000 }).marks).toEqual([])
  })

  test('a suspended machine: rates are over the time it ran', () => {
    const sample = between(disk({ reads: 0 }), disk({ reads: 100 }), { monotonicMs: 10_000, boottimeMs: 3_610_000 })
    expect(sample.marks).toEqual([
      { kind: 'suspended', fromMs: START, toMs: START + 3_610_000, message: 'the machine was suspended for 3600.0 s' },
    ])
    expect(columnsOf(sample.rows, 'disk')).toMatchObject({ reads_per_second: 10 })
  })

  test.each([
    ['back', -3600],
    ['forward', 7200],
  ])('a clock that was set %s: before and after; rates as ever', (direction, seconds) => {
    const timeMs = START + INTERVAL + seconds * 1000
    const sample = between(disk({ reads: 0 }), disk({ reads: 100 }), { timeMs })
    const message = `the clock was set ${direction} by ${Math.abs(seconds)}.0 s`
    expect(sample.marks).toEqual([{ kind: 'clock-set', fromMs: START + INTERVAL, toMs: timeMs, message }])
    expect(columnsOf(sample.rows, 'disk')).toMatchObject({ reads_per_second: 10 })
  })

  test('a clock that is slewed, and a leap second, are none', () => {
    for (const ms of [-1000, -5, 5, 1000]) {
      expect(between(disk({}), disk({}), { timeMs: START + INTERVAL + ms }).marks).toEqual([])
    }
  })

  test('a late sample', () => {
    expect(between(disk({}), disk({}), { monotonicMs: 15_100 }).marks).toEqual([
      { kind: 'late', fromMs: START, toMs: START + 15_100, message: '15.1 s from one sample to the next, not 10.0 s' },
    ])
  })

  test('the first sample of all, of another run of diagd, of another boot', () => {
    const now = reading([], { timeMs: START + 60_000, monotonicMs: 60_000, boottimeMs: 60_000 })
    const { rows: _, costMs: __, ...last } = reading([])
    const kinds = (before?: typeof last) =>
      difference(before, now, INTERVAL).marks.map(({ kind, fromMs }) => [kind, fromMs])
    expect(kinds()).toEqual([['diagd-started', START + 60_000]])
    expect(kinds(last)).toEqual([['diagd-started', START]])
    expect(kinds({ ...last, bootId: '3'.repeat(8) })).toEqual([['boot', START]])
    expect(kinds({ ...last, boottimeMs: -100_000 })).toEqual([
      ['diagd-started', START],
      ['suspended', START],
      ['clock-set', START + 160_000],
    ])
  })
})

const START = 1_700_000_000_000

type Times = Pick<Reading, 'timeMs' | 'monotonicMs' | 'boottimeMs'>

/** A sample whose clocks went on together, as far as the test does not say otherwise. */
function between(before: ReadingRow, now: ReadingRow, times: Partial<Times> = {}) {
  const monotonicMs = times.monotonicMs ?? INTERVAL
  const boottimeMs = times.boottimeMs ?? monotonicMs
  const timeMs = times.timeMs ?? START + boottimeMs
  return difference(reading([before]), reading([now], { timeMs, monotonicMs, boottimeMs }), INTERVAL)
}

function reading(rows: readonly ReadingRow[], times: Partial<Times> = {}): Reading {
  const start = { timeMs: START, monotonicMs: 0, boottimeMs: 0 }
  return { ...start, ...times, bootId: BOOT, rows, costMs: { cpu: 1, wall: 1 } }
}

function row(subject: Subject, values: ReadingRow['values'], labels: ReadingRow['labels'] = {}): ReadingRow {
  return { subject, labels, values }
}

function disk(values: ReadingRow['values']): ReadingRow {
  return row('disk', values, { device: 'vda' })
}

function columnsOf(rows: readonly SampleRow[], subject: Subject): SampleRow['columns'] | undefined {
  return rows.find((sampleRow) => sampleRow.subject === subject)?.columns
}
