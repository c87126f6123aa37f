/** Minutes out of samples: complete ones, each once, in the order in which they came. */
import { describe, expect, test } from 'vitest'
import { MONDAY_MS } from '../../../helpers/samples.ts'
import { container, emptyDatabase, host, HOUR_MS, keep, put, rows } from './kit.ts'

const minutes = 'SELECT minute, time, samples, load_1_avg, load_1_min, load_1_max FROM host_per_minute ORDER BY minute'

test('a minute has average, lowest and highest, and what counts is added up', () => {
  const db = emptyDatabase()
  const loads = [0.25, 3, 0.5, 1, 1, 1.25]
  for (const [at, load] of loads.entries())
    put(db, { at: at * 10, rows: [host({ load_1: load, oom_kills: at === 3 ? 2 : 0, memory_free_bytes: 1024 * at })] })
  put(db, { at: 60, rows: [host({ load_1: 9 })] })
  keep(db, MONDAY_MS)
  expect(rows(db, 'SELECT * FROM host_per_minute')).toMatchObject([
    {
      time: '2026-06-15T00:00:00.000Z',
      samples: 6,
      load_1_avg: 1.17,
      load_1_min: 0.25,
      load_1_max: 3,
      oom_kills_sum: 2,
      oom_kills_min: 0,
      oom_kills_max: 2,
      memory_free_bytes_avg: 3 * 1024,
      memory_free_bytes_max: 5 * 1024,
      swap_free_bytes_avg: null,
    },
  ])
})

test('of each thing on its own, with what it is called now', () => {
  const db = emptyDatabase()
  put(db, { at: 0, rows: [container('aaa', { cpu_percent: 10 }), container('bbb', { cpu_percent: 50 })] })
  put(db, { at: 10, rows: [container('aaa', { cpu_percent: 30 }, 'web')] })
  put(db, { at: 20, rows: [container('aaa', { cpu_percent: 20 })] })
  put(db, { at: 70 })
  keep(db, MONDAY_MS)
  const sql =
    'SELECT id, name, samples, cpu_percent_avg AS avg, cpu_percent_max AS max FROM container_per_minute ORDER BY id'
  expect(rows(db, sql)).toEqual([
    { id: 'aaa', name: 'web', samples: 3, avg: 20, max: 30 },
    { id: 'bbb', name: '', samples: 1, avg: 50, max: 50 },
  ])
})

describe('a minute ends', () => {
  test('with the first sample of the next, not before', () => {
    const db = emptyDatabase()
    for (const at of [0, 10, 50]) put(db, { at, rows: [host({ load_1: at })] })
    keep(db, MONDAY_MS + HOUR_MS)
    expect(rows(db, minutes)).toEqual([])
    put(db, { at: 60 })
    keep(db, MONDAY_MS + HOUR_MS)
    expect(rows(db, minutes)).toMatchObject([{ samples: 3, load_1_avg: 20 }])
  })

  test('with a reboot, and the rest of it is one of the next boot', () => {
    const db = emptyDatabase()
    put(db, { at: 0, rows: [host({ load_1: 1 })] })
    put(db, { at: 30, bootId: 'next', monotonicMs: 5000, rows: [host({ load_1: 2 })] })
    put(db, { at: 60, bootId: 'next', monotonicMs: 35_000 })
    keep(db, MONDAY_MS)
    const found = rows(db, 'SELECT boot_id, time, load_1_avg FROM host_per_minute ORDER BY minute')
    expect(found).toMatchObject([
      { load_1_avg: 1 },
      { boot_id: 'next', time: '2026-06-15T00:00:00.000Z', load_1_avg: 2 },
    ])
  })

  test('when the clock is set back: the minute that comes again is another one, and stands behind it', () => {
    const db = emptyDatabase()
    const wall = [100, 110, 120, 100, 110, 170]
    for (const [index, at] of wall.entries())
      put(db, { at, monotonicMs: index * 10_000, rows: [host({ load_1: index })] })
    keep(db, MONDAY_MS)
    expect(rows(db, minutes)).toMatchObject([
      { minute: 1, time: '2026-06-15T00:01:00.000Z', load_1_min: 0, load_1_max: 1 },
      { minute: 3, time: '2026-06-15T00:02:00.000Z', load_1_min: 2, load_1_max: 2 },
      { minute: 4, time: '2026-06-15T00:01:00.000Z', load_1_min: 3, load_1_max: 4 },
    ])
  })
})

test('after a restart minutes that were left are made, and none is made twice', () => {
  const db = emptyDatabase()
  for (let at = 0; at < 600; at += 10) put(db, { at, rows: [host({ load_1: at })] })
  keep(db, MONDAY_MS)
  keep(db, MONDAY_MS)
  put(db, { at: 610 })
  keep(db, MONDAY_MS)
  const found = rows<{ minute: number; samples: number }>(db, minutes)
  expect(found.map(({ minute }) => minute)).toEqual([1, 7, 13, 19, 25, 31, 37, 43, 49, 55])
  expect(found.every(({ samples }) => samples === 6)).toBe(true)
})

test('a minute that could not be written to its end was not begun', () => {
  const db = emptyDatabase()
  for (const at of [0, 10, 60]) put(db, { at, rows: [host({ load_1: 1 }), container('aaa', { cpu_percent: 1 })] })
  db.exec(`CREATE TRIGGER no_room BEFORE INSERT ON container_minutes BEGIN SELECT raise(ABORT, 'no room'); END`)
  expect(() => keep(db, MONDAY_MS)).toThrow('no room')
  expect(rows(db, 'SELECT * FROM host_minutes')).toEqual([])
  db.exec('DROP TRIGGER no_room')
  keep(db, MONDAY_MS)
  expect(rows(db, 'SELECT minute, samples FROM container_per_minute')).toEqual([{ minute: 1, samples: 2 }])
})
