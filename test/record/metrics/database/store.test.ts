/** The store of metrics, as those who use it see it: beside events.db in one thread, with a sampler of its own. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openStoreThread } from '../../../../src/record/store-thread.ts'
import { BOOT_ID, machine, MONDAY_MS } from '../../../helpers/samples.ts'
import { ask, copyTo, event, stateFolder, storeIn as eventsIn, until } from '../../events/kit.ts'
import { HOUR_MS, storeIn } from './kit.ts'

const MACHINE = fileURLToPath(new URL('../../../fixtures/metrics/cgroup-v2', import.meta.url))

test('what is appended can be asked for', async () => {
  const store = storeIn(await stateFolder())
  const many = machine({ containers: 2 })
  expect(await store.append(many.next())).toBe(1)
  const second = many.next()
  expect(await store.append(second)).toBe(2)
  expect(await store.latest()).toMatchObject({ id: 2, timeMs: second.timeMs, bootId: BOOT_ID, rows: second.rows })
  const columns = { container: ['cpu_percent'] }
  const { series } = await store.range({ sinceMs: MONDAY_MS, untilMs: MONDAY_MS + HOUR_MS, stepMs: 10_000, columns })
  expect(new Set(series.map(({ labels }) => labels.name))).toEqual(new Set(['worker-0', 'worker-1']))
  expect(series[0]!.timesMs).toEqual([MONDAY_MS, MONDAY_MS + 10_000])
  expect(store.health()).toMatchObject({ state: 'recording', rows: 2, problems: [], refused: 0 })
  await expect(store.range({ sinceMs: 0, untilMs: 1, stepMs: 1, columns })).rejects.toMatchObject({ code: 'invalid' })
})

describe('a copy', () => {
  test('made while samples come in and minutes are made is whole, every time', async () => {
    const folder = await stateFolder()
    const store = storeIn(folder)
    const many = machine({ containers: 20, mounts: 5 })
    await store.append(many.next())
    let open = true
    const writing = (async () => {
      while (open) await store.append(many.next())
    })()
    for (let count = 0; count < 20; count++) {
      const copy = join(folder, 'copy.db')
      expect(await copyTo(copy, await store.snapshot())).toEqual({ whole: true })
      expect(ask(copy, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
      // Of no minute a part: what is of it, and that it is done.
      const [facts] = ask<Record<string, number>>(
        copy,
        `SELECT (SELECT max(last_sample) FROM minutes) AS last, (SELECT value FROM progress WHERE name = 'rolled_up') AS done,
          (SELECT count(*) FROM container_minutes) AS containers, (SELECT count(*) FROM minutes) AS minutes`,
      )
      expect(facts!.last).toBe(facts!.done)
      expect(facts!.containers).toBe(facts!.minutes! * 20)
      rmSync(copy)
    }
    open = false
    await writing
  })
})

describe('trouble', () => {
  test('is told in events.db, with the name of the database', async () => {
    const folder = await stateFolder()
    writeFileSync(join(folder, 'metrics.db'), 'no database '.repeat(1000))
    const thread = openStoreThread()
    const events = eventsIn(folder, { thread })
    const metrics = storeIn(folder, { thread, tell: events.tell })
    await events.append([event('one')])
    expect(await metrics.append(machine().next())).toBe(1)
    await until(() => ask(events.path, 'SELECT 1 FROM events').length === 2)
    expect((await events.query({ limit: 1 }))[0]).toMatchObject({
      type: 'diagd.recorder.damaged',
      subject: 'metrics.db',
      message: expect.stringMatching(/^The database of metrics was set aside as .*metrics\.db\.damaged-\d{8}T\d{9}Z/),
    })
    expect(await metrics.setAside()).toEqual([expect.stringMatching(/metrics\.db\.damaged-/)])
    expect(metrics.health().problems).toEqual([expect.stringContaining('was set aside')])
    expect(events.health().problems).toEqual([])
  })

  test('of a database of events in its place: it is another kind', async () => {
    const folder = await stateFolder()
    const other = new Database(join(folder, 'metrics.db'))
    other.pragma('application_id = 0x64696167')
    other.exec('CREATE TABLE events (x)')
    other.close()
    const metrics = storeIn(folder)
    await metrics.append(machine().next())
    expect(metrics.health().problems).toEqual([expect.stringContaining("not a database of diagd's metrics")])
  })

  test('by a lock: samples are refused and counted, events go on, and what is missing is marked', async () => {
    const folder = await stateFolder()
    const told: string[] = []
    const tell = ({ message }: { message: string }) => told.push(message)
    const metrics = storeIn(folder, { tell })
    const many = machine()
    await metrics.append(many.next())
    const other = new Database(metrics.path)
    onTestFinished(() => void other.close())
    other.exec('BEGIN IMMEDIATE')
    const refused = { code: 'paused', message: 'another program holds the database locked (SQLITE_BUSY)' }
    await expect(metrics.append(many.next())).rejects.toMatchObject(refused)
    await expect(metrics.append(many.next())).rejects.toMatchObject(refused)
    expect(metrics.health()).toMatchObject({
      state: 'paused',
      refused: 2,
      problems: [expect.stringMatching(/^Metrics are not recorded since .*Z: another program holds/)],
    })
    other.exec('ROLLBACK')
    await until(() => metrics.health().state === 'recording')
    expect(told).toEqual([
      expect.stringMatching(/^Metrics were not recorded from .* to .*: another .*\. Samples refused meanwhile: 2$/),
    ])
    await metrics.append(many.next())
    expect(ask(metrics.path, 'SELECT kind, seconds FROM gaps')).toEqual([{ kind: 'paused', seconds: 30 }])
  })
})

describe('sampling', () => {
  const sampling = { root: MACHINE, pressure: { cpu: 50, memory: 10, io: 50 } }

  test('goes on by itself beside the database, and after a restart where it was', async () => {
    const folder = await stateFolder()
    const first = storeIn(folder, { sampling, intervalMs: 20 })
    await first.start()
    await until(() => first.health().rows >= 3)
    await first.close()
    const kept = ask<{ n: number; hosts: number; boots: number }>(
      first.path,
      'SELECT count(*) AS n, (SELECT count(*) FROM host_samples) AS hosts, count(DISTINCT boot) AS boots FROM samples',
    )
    expect(kept[0]).toMatchObject({ hosts: kept[0]!.n, boots: 1 })
    const second = storeIn(folder, { sampling, intervalMs: 20 })
    await second.start()
    await until(() => second.health().rows > kept[0]!.n + 2)
    const marks = ask<{ kind: string }>(second.path, 'SELECT kind, sample, from_ms < to_ms AS apart FROM marks')
    expect(marks.filter(({ kind }) => kind === 'diagd-started')).toEqual([
      { kind: 'diagd-started', sample: 1, apart: 0 },
      { kind: 'diagd-started', sample: kept[0]!.n + 1, apart: 1 },
    ])
  })

  test('a reading has what is read now, with the names that others know', async () => {
    const store = storeIn(await stateFolder(), { sampling, intervalMs: 60_000 })
    const found = (await store.reading()).rows.find(({ subject }) => subject === 'container')
    store.hint({ containerNames: { [found!.labels.id!]: 'web' }, own: { diagd_event_loop_delay_seconds: 0.25 } })
    const { rows } = await store.reading()
    expect(rows.find(({ labels }) => labels.id === found!.labels.id)!.labels.name).toBe('web')
    expect(rows[0]!.values).toMatchObject({ diagd_event_loop_delay_seconds: 0.25 })
    expect(rows.some(({ subject }) => subject === 'cpu')).toBe(true)
  })

  test('that cannot be kept is counted, and can still be asked', async () => {
    const file = join(await stateFolder(), 'file')
    writeFileSync(file, 'no folder')
    const store = storeIn(join(file, 'state'), { sampling, intervalMs: 20 })
    await expect(store.start()).rejects.toMatchObject({ code: 'off' })
    await until(() => store.health().refused >= 2)
    expect(store.health()).toMatchObject({ state: 'off' })
    expect((await store.reading()).rows.length).toBeGreaterThan(1)
  })
})
