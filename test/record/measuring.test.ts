import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createMeasuring, type MeasuringOptions } from '../../src/record/measuring.ts'
import type { Reading } from '../../src/record/metrics/metric.ts'
import { createMetricsStore, type MetricsStore } from '../../src/record/metrics/store.ts'
import { temporaryFolder } from '../helpers/commands.ts'

const READING: Reading = {
  timeMs: 0,
  monotonicMs: 0,
  boottimeMs: 0,
  bootId: 'x',
  rows: [],
  costMs: { cpu: 0, wall: 0 },
}

function measuringWith(store: Partial<MetricsStore>, over: Partial<MeasuringOptions> = {}) {
  const whole = { start: async () => {}, hint: () => {}, close: async () => {}, ...store } as MetricsStore
  const measuring = createMeasuring({ path: '/m.db', intervalMs: 10_000, open: async () => whole, ...over })
  onTestFinished(() => measuring.close())
  measuring.start()
  return measuring
}

test('of this machine: readings, samples and a copy of the database', async () => {
  const folder = temporaryFolder()
  const open = async () =>
    createMetricsStore({ folder, sampling: { pressure: { cpu: 50, memory: 10, io: 50 }, root: '' }, tell: () => {} })
  const measuring = createMeasuring({ path: `${folder}/metrics.db`, intervalMs: 10_000, open })
  onTestFinished(() => measuring.close())
  expect(measuring.health()).toEqual({ state: 'starting', problems: [] })
  measuring.start()
  const { rows } = await measuring.reading()
  expect(rows.find(({ subject }) => subject === 'host')?.values['memory_total_bytes']).toBeGreaterThan(0)
  while (measuring.health().samples !== 1) await delay(20)
  expect(measuring.health()).toMatchObject({ state: 'recording', refusedSamples: 0, problems: [] })
  expect(measuring.health().sizeBytes).toBeGreaterThan(4096)
  const newest = await measuring.newest(['host', 'mount'])
  expect(newest?.monotonicMs).toBeGreaterThan(0)
  expect(new Set(newest?.rows.map(({ subject }) => subject))).toEqual(new Set(['host', 'mount']))
  const snapshot = await measuring.snapshot(new AbortController().signal)
  expect(snapshot.sizeBytes).toBeGreaterThan(4096)
  await snapshot.chunks.return({ whole: false })
})

test('the machine is looked at once a second at most, whoever asks', async () => {
  let looks = 0
  const measuring = measuringWith({
    reading: async () => {
      looks += 1
      await delay(5)
      return READING
    },
  })
  await Promise.all([measuring.reading(), measuring.reading()])
  await measuring.reading()
  expect(looks).toBe(1)
  const until = performance.now() + 1001
  while (performance.now() < until) await delay(20)
  await measuring.reading()
  expect(looks).toBe(2)
})

test('a failure is not kept', async () => {
  let looks = 0
  const measuring = measuringWith({
    reading: async () => {
      looks += 1
      if (looks === 1) throw new Error('the thread broke down')
      return READING
    },
  })
  await expect(measuring.reading()).rejects.toThrow('the thread broke down')
  expect(await measuring.reading()).toBe(READING)
})

test('a thread that hangs in an fsync holds nobody', async () => {
  const measuring = measuringWith({ reading: () => new Promise(() => {}) }, { deadlineMs: 20 })
  await expect(measuring.reading()).rejects.toThrow('does not answer')
})

test('where it cannot be opened it is off, and says why', async () => {
  const measuring = createMeasuring({
    path: '/m.db',
    intervalMs: 10_000,
    open: () => Promise.reject(new Error('SQLite cannot be loaded')),
  })
  measuring.start()
  await expect(measuring.reading()).rejects.toMatchObject({ code: 'off', message: 'SQLite cannot be loaded' })
  expect(measuring.health()).toEqual({
    state: 'off',
    problems: ['Metrics are not recorded: SQLite cannot be loaded'],
  })
  await measuring.close()
})

test('how late the event loop is goes to the thread that measures', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  measuringWith(
    {
      hint: ({ own }) =>
        void (
          (own?.['diagd_event_loop_delay_seconds'] ?? 0) >= 0.5 && resolve(own!['diagd_event_loop_delay_seconds']!)
        ),
    },
    { intervalMs: 300 },
  )
  await delay(400)
  const until = performance.now() + 900
  while (performance.now() < until);
  expect(await promise).toBeLessThan(60)
})
