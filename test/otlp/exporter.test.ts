import { describe, expect, onTestFinished, test } from 'vitest'
import { createOtlp, type OtlpOptions } from '../../src/otlp/exporter.ts'
import { tellOtlp } from '../../src/otlp/state.ts'
import type { Cursor, EventStore } from '../../src/record/events/event.ts'
import { createEventStore } from '../../src/record/events/store.ts'
import { CATALOGUE } from '../../src/record/metrics/catalogue/index.ts'
import type { Reading } from '../../src/record/metrics/metric.ts'
import { createOwnMetrics } from '../../src/record/metrics/own.ts'
import { startCollector } from '../helpers/collector.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { describeWithReceivers, startVictoriaMetrics } from '../helpers/otlp-receivers.ts'

const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'

const reading = async (): Promise<Reading> => ({
  timeMs: Date.now(),
  monotonicMs: 60_000,
  boottimeMs: 60_000,
  bootId: BOOT,
  rows: [
    { subject: 'host', labels: {}, values: { load_1: 0.5 } },
    { subject: 'cpu', labels: { cpu: '0' }, values: { user_seconds: 12.5 } },
  ],
  costMs: { cpu: 0, wall: 0 },
})

function storeOfEvents(count = 1) {
  const store = createEventStore({ folder: temporaryFolder(), bootId: BOOT })
  onTestFinished(() => store.close())
  const one = { bootId: BOOT, source: 'api', type: 'test.one', level: 'info', subject: '', message: 'x' } as const
  const events = Array.from({ length: count }, () => Object.assign({ timeMs: Date.now() }, one))
  return { store, source: sourceOf(store), recorded: store.append(events) }
}

const sourceOf = (store: EventStore) => ({
  ...store,
  keepCursor: (cursor: Cursor) => store.append([], cursor),
})

function exporterTo(endpoint: URL, over: Partial<OtlpOptions> = {}) {
  const said: string[] = []
  const otlp = createOtlp({
    config: { endpoint, intervalMs: 20, metrics: true, events: true },
    version: '1.2.3',
    resource: async () => ({ 'service.name': 'diagd', 'service.instance.id': 'web-1' }),
    reading,
    catalogue: CATALOGUE,
    pollMs: 20,
    log: {
      warn: (fields, message) => void said.push(`${message}: ${(fields as { reason: string }).reason}`),
      info: (_, message) => void said.push(message),
    },
    ...over,
  })
  onTestFinished(() => otlp.close())
  otlp.start()
  return { otlp, said }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('metrics go on and on, events once', async () => {
  const collector = await startCollector()
  const { source } = storeOfEvents()
  const { otlp } = exporterTo(collector.url, { events: source })
  await until(() => (otlp.health().metrics?.taken ?? 0) >= 5 && (otlp.health().events?.taken ?? 0) >= 1)
  expect(collector.got.filter(({ path }) => path === '/v1/logs')).toHaveLength(1)
  expect(otlp.health()).toMatchObject({
    metrics: { state: 'sending', failed: 0 },
    events: { state: 'sending', sentItems: 1 },
    problems: [],
  })
})

test('only what is wanted, and there is, is sent', async () => {
  const collector = await startCollector()
  const config = { endpoint: collector.url, intervalMs: 20, metrics: false, events: true }
  const { source } = storeOfEvents()
  const { otlp } = exporterTo(collector.url, { config, events: source })
  await collector.until(1)
  const without = exporterTo(collector.url, { reading: undefined, events: undefined })
  expect(Object.keys(otlp.health())).toEqual(['events', 'problems'])
  expect(without.otlp.health()).toEqual({ problems: [] })
  await otlp.close()
  expect(new Set(collector.got.map(({ path }) => path))).toEqual(new Set(['/v1/logs']))
})

describe('a collector that is away', () => {
  test('gets everything once it is back; it is said once that it is away, and once that it is back', async () => {
    const collector = await startCollector()
    collector.answer(() => ({ status: 503 }))
    const { store, source, recorded } = storeOfEvents(3)
    await recorded
    const config = { endpoint: collector.url, intervalMs: 20, metrics: false, events: true }
    const { otlp, said } = exporterTo(collector.url, { config, events: source })
    await collector.until(2)
    // Recording does not wait for anybody.
    const [id] = await store.append([
      { timeMs: Date.now(), bootId: BOOT, source: 'api', type: 'test.two', level: 'info', subject: '', message: 'x' },
    ])
    expect(id).toBe(4)
    expect(otlp.health()).toMatchObject({ events: { state: 'waiting', problem: 'it answered 503', sentItems: 0 } })
    collector.answer(() => ({ status: 200 }))
    await until(() => otlp.health().events?.sentItems === 4)
    expect(otlp.health()).toMatchObject({ events: { state: 'sending', lostItems: 0, refusedItems: 0 } })
    await until(() => said.length === 2)
    expect(said).toEqual([
      'events did not all get to the collector: it answered 503',
      'the collector takes events again',
    ])
  })

  test('and asks for patience has it', async () => {
    const collector = await startCollector()
    collector.answer(({ path }) =>
      path === '/v1/logs' ? { status: 503, headers: { 'retry-after': '3600' } } : { status: 200 },
    )
    const { source, recorded } = storeOfEvents()
    await recorded
    const { otlp } = exporterTo(collector.url, { events: source })
    await until(() => otlp.health().events?.failed === 1)
    const taken = otlp.health().metrics?.taken ?? 0
    await until(() => (otlp.health().metrics?.taken ?? 0) >= taken + 30)
    expect(otlp.health()).toMatchObject({ events: { failed: 1, taken: 0 } })
  })

  test('is left behind at once when diagd stops', async () => {
    const collector = await startCollector()
    collector.answer(() => 'silence')
    const { otlp } = exporterTo(collector.url)
    await collector.until(1)
    await otlp.close()
  })
})

test('what cannot be had is waited for: the resource, a reading', async () => {
  const collector = await startCollector()
  let tries = 0
  const { otlp } = exporterTo(collector.url, {
    resource: async () => {
      tries += 1
      if (tries === 1) throw new Error('not yet')
      return {}
    },
  })
  await until(() => otlp.health().metrics?.problem === 'not yet')
  await collector.until(1)
  expect(tries).toBe(2)
})

test('what became of it is among the metrics of diagd', async () => {
  const collector = await startCollector()
  const { otlp } = exporterTo(collector.url)
  const own = createOwnMetrics()
  tellOtlp(own, () => otlp.health())
  await until(() => (otlp.health().metrics?.taken ?? 0) >= 1)
  await otlp.close()
  const { taken, sentItems } = otlp.health().metrics!
  const told = Object.fromEntries(
    own
      .families()
      .flatMap(({ name, samples }) =>
        samples.map(({ labels, value }) => [`${name} ${Object.values(labels).join(' ')}`, value]),
      ),
  )
  expect(told).toMatchObject({
    'diagd_otlp_requests_total metrics taken': taken,
    'diagd_otlp_requests_total metrics failed': 0,
    'diagd_otlp_items_total metrics sent': sentItems,
    'diagd_otlp_items_total metrics lost': 0,
  })
  expect(sentItems).toBe(taken * 2)
})

describeWithReceivers('a receiver that others made: VictoriaMetrics', () => {
  test('has the numbers, under the names that Prometheus has for those of OpenTelemetry', async () => {
    const receiver = await startVictoriaMetrics()
    const { otlp } = exporterTo(receiver.endpoint)
    expect(await receiver.until('system_cpu_time_seconds_total')).toEqual([
      {
        metric: {
          __name__: 'system_cpu_time_seconds_total',
          cpu_logical_number: '0',
          cpu_mode: 'user',
          service_name: 'diagd',
          service_instance_id: 'web-1',
        },
        value: 12.5,
      },
    ])
    expect(await receiver.until('system_cpu_load_average_1m')).toMatchObject([{ value: 0.5 }])
    expect(otlp.health().metrics).toMatchObject({ state: 'sending', failed: 0, refused: 0, rejectedItems: 0 })
  })

  test('and an address where nobody takes OTLP is waited for', async () => {
    const { url } = await startVictoriaMetrics()
    const { otlp } = exporterTo(new URL(`${url}/no/such/path`))
    await until(() => (otlp.health().metrics?.failed ?? 0) + (otlp.health().metrics?.refused ?? 0) > 0)
    expect(otlp.health().metrics).toMatchObject({ taken: 0, problem: expect.stringContaining('it answered 4') })
  })
})
