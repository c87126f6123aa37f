/** What a sample becomes in the tables, and what is told where samples are missing. */
import { describe, expect, test } from 'vitest'
import { append } from '../../../../src/record/metrics/database/write.ts'
import { BOOT_ID, machine, MONDAY_MS } from '../../../helpers/samples.ts'
import { latest } from '../../../../src/record/metrics/database/latest.ts'
import { container, emptyDatabase, host, put, rows } from './kit.ts'

describe('a sample', () => {
  test('comes back as it was given', () => {
    const db = emptyDatabase()
    const many = machine({ mounts: 3, disks: 2, interfaces: 2, containers: 4 })
    append(db, many.next())
    const { marks: _, intervalMs: _interval, ...given } = many.next()
    append(db, { ...given, intervalMs: 10_000, marks: [] })
    const { id, rows: found, ...times } = latest(db)!
    expect(id).toBe(2)
    expect({ ...times, rows: found }).toEqual(given)
  })

  test('without what is not known is without it', () => {
    const db = emptyDatabase()
    put(db, { at: 0, intervalMs: undefined, rows: [host({ load_1: 0 }, 'diskstats: not there')] })
    expect(latest(db)).toMatchObject({ rows: [{ columns: { load_1: 0 }, problem: 'diskstats: not there' }] })
    expect(rows(db, 'SELECT interval_ms, load_5, problem FROM host')).toEqual([
      { interval_ms: null, load_5: null, problem: 'diskstats: not there' },
    ])
  })

  test('with numbers that are none does not spoil the others', () => {
    const db = emptyDatabase()
    put(db, { at: 0, rows: [host({ load_1: Number.NaN, load_5: Infinity, threads: 1e300, processes: 7 })] })
    expect(rows(db, 'SELECT load_1, load_5, threads, processes FROM host')).toEqual([
      { load_1: null, load_5: null, threads: null, processes: 7 },
    ])
  })

  test('is kept whole or not at all, and the next one is not misled by what was undone', () => {
    const db = emptyDatabase()
    db.exec(`CREATE TRIGGER no_room BEFORE INSERT ON container_samples BEGIN SELECT raise(ABORT, 'no room'); END`)
    const row = container('aaa', { cpu_percent: 1 }, 'web')
    expect(() => put(db, { at: 0, rows: [host({ load_1: 1 }), row] })).toThrow('no room')
    expect(
      rows(db, 'SELECT 1 FROM samples UNION ALL SELECT 1 FROM containers UNION ALL SELECT 1 FROM host_samples'),
    ).toEqual([])
    db.exec('DROP TRIGGER no_room')
    put(db, { at: 10, rows: [row] })
    expect(rows(db, 'SELECT id, name, cpu_percent FROM container')).toEqual([
      { id: 'aaa', name: 'web', cpu_percent: 1 },
    ])
  })
})

test('a thing keeps its name while it is not known, and gets another when it is called so', () => {
  const db = emptyDatabase()
  const names = ['', 'web', '', 'web2']
  for (const [at, name] of names.entries()) put(db, { at, rows: [container('aaa', {}, name)] })
  expect(rows(db, 'SELECT id, name, first_ms FROM containers')).toEqual([
    { id: 'aaa', name: 'web2', first_ms: MONDAY_MS },
  ])
})

test('of two that are mounted at the same place the last is told', () => {
  const db = emptyDatabase()
  const mount = (size_bytes: number) =>
    ({
      subject: 'mount',
      labels: { mountpoint: '/x', device: 'tmpfs', fstype: 'tmpfs' },
      columns: { size_bytes },
    }) as const
  put(db, { at: 0, rows: [mount(1024), mount(2048)] })
  expect(rows(db, 'SELECT mountpoint, size_bytes FROM mount')).toEqual([{ mountpoint: '/x', size_bytes: 2048 }])
})

describe('marks', () => {
  test('are kept with the sample they came with', () => {
    const db = emptyDatabase()
    const mark = {
      kind: 'suspended',
      fromMs: MONDAY_MS - 7_200_000,
      toMs: MONDAY_MS,
      message: 'the machine was suspended',
    } as const
    append(db, machine().next({ marks: [mark] }))
    expect(rows(db, 'SELECT from_time, to_time, seconds, kind, boot_id, sample FROM gaps')).toEqual([
      {
        from_time: '2026-06-14T22:00:00.000Z',
        to_time: '2026-06-15T00:00:00.000Z',
        seconds: 7200,
        kind: 'suspended',
        boot_id: BOOT_ID,
        sample: 1,
      },
    ])
  })

  test('tell of samples that could not be kept', () => {
    const db = emptyDatabase()
    for (const at of [0, 10, 50, 60]) put(db, { at })
    expect(rows(db, 'SELECT kind, seconds, message, sample FROM gaps')).toEqual([
      {
        kind: 'paused',
        seconds: 40,
        message: 'what was measured could not be kept for 30 s: the database was not writable',
        sample: 3,
      },
    ])
  })

  test('are not made up where nothing can be compared, or another boot began', () => {
    const db = emptyDatabase()
    put(db, { at: 0 })
    put(db, { at: 500, intervalMs: undefined })
    put(db, { at: 510, bootId: 'next', monotonicMs: 1e9 })
    expect(rows(db, 'SELECT * FROM gaps')).toEqual([])
  })
})

test('problems of ever new words do not fill the database', () => {
  const db = emptyDatabase()
  for (let at = 0; at < 1010; at++) put(db, { at, rows: [host({}, `problem ${at} ${'x'.repeat(500)}`)] })
  expect(rows(db, 'SELECT count(*) AS n, max(length(problem)) AS most FROM problems')).toEqual([{ n: 1001, most: 256 }])
  expect(latest(db)!.rows[0]!.problem).toBe('more than 1000 kinds of problems')
})
