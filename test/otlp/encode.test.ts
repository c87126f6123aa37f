/** Read back by OpenTelemetry's own definitions of the protocol. */
import { expect, test } from 'vitest'
import { encodeEvents, encodeReading, rejectedBy } from '../../src/otlp/encode.ts'
import type { StoredEvent } from '../../src/record/events/event.ts'
import { CATALOGUE } from '../../src/record/metrics/catalogue/index.ts'
import type { Reading } from '../../src/record/metrics/metric.ts'
import { decoded, describeWithReceivers } from '../helpers/otlp-receivers.ts'

const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
const NOON_MS = Date.UTC(2026, 5, 15, 12)
const ORIGIN = { resource: { 'service.name': 'diagd', 'host.name': 'web-1' }, version: '1.2.3' }

const READING: Reading = {
  timeMs: NOON_MS + 0.25,
  monotonicMs: 60_000,
  boottimeMs: 60_000,
  bootId: BOOT,
  rows: [
    { subject: 'host', labels: {}, values: { load_1: 0.5, diagd_cpu_seconds: 2 } },
    { subject: 'cpu', labels: { cpu: '0' }, values: { user_seconds: 12.5, idle_seconds: 99 } },
    { subject: 'cpu', labels: { cpu: '1' }, values: { user_seconds: 2.5 } },
    { subject: 'container', labels: { id: '0123456789ab', cgroup: '/d/0', name: '' }, values: { cpu_user_seconds: 3 } },
    { subject: 'mount', labels: { mountpoint: '/', device: '/dev/vda1', fstype: 'ext4' }, values: { used_bytes: 7e9 } },
  ],
  costMs: { cpu: 1, wall: 1 },
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, string>>
}
interface Point {
  readonly attributes?: readonly Attribute[]
  readonly startTimeUnixNano?: string
  readonly timeUnixNano: string
  readonly asDouble: number
}
interface Series {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly sum?: {
    readonly isMonotonic?: boolean
    readonly aggregationTemporality: string
    readonly dataPoints: Point[]
  }
  readonly gauge?: { readonly dataPoints: Point[] }
}

const plain = (attributes: readonly Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

describeWithReceivers('metrics', () => {
  const all = async () => {
    const { body, points } = encodeReading(READING, CATALOGUE, ORIGIN)
    const request = (await decoded('metrics', Buffer.from(body))) as {
      resourceMetrics: {
        resource: { attributes: Attribute[] }
        scopeMetrics: { scope: object; metrics: Series[] }[]
      }[]
    }
    const [{ resource, scopeMetrics }] = request.resourceMetrics as [(typeof request.resourceMetrics)[0]]
    const [{ scope, metrics }] = scopeMetrics as [(typeof scopeMetrics)[0]]
    return { resource, scope, points, metrics, named: (name: string) => metrics.find((one) => one.name === name)! }
  }

  test('counters, sums and gauges under the names, units and attributes of the conventions', async () => {
    const { named, resource, scope, metrics, points } = await all()
    expect(plain(resource.attributes)).toEqual(ORIGIN.resource)
    expect(scope).toEqual({ name: 'diagd', version: '1.2.3' })
    expect(metrics.map(({ name }) => name).sort()).toEqual([
      'container.cpu.time',
      'process.cpu.time',
      'system.cpu.load_average.1m',
      'system.cpu.time',
      'system.filesystem.usage',
    ])
    expect(points).toBe(7)
    const cpu = named('system.cpu.time')
    expect(cpu).toMatchObject({
      unit: 's',
      sum: { isMonotonic: true, aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE' },
    })
    expect(cpu.sum!.dataPoints.map(({ attributes, asDouble }) => [plain(attributes), asDouble])).toEqual([
      [{ 'cpu.logical_number': '0', 'cpu.mode': 'user' }, 12.5],
      [{ 'cpu.logical_number': '1', 'cpu.mode': 'user' }, 2.5],
      [{ 'cpu.logical_number': '0', 'cpu.mode': 'idle' }, 99],
    ])
    const usage = named('system.filesystem.usage')
    expect(usage.sum!.isMonotonic ?? false).toBe(false)
    expect(plain(usage.sum!.dataPoints[0]!.attributes)).toEqual({
      'system.filesystem.mountpoint': '/',
      'system.device': '/dev/vda1',
      'system.filesystem.type': 'ext4',
      'system.filesystem.state': 'used',
    })
    expect(named('system.cpu.load_average.1m')).toMatchObject({
      unit: '{thread}',
      gauge: { dataPoints: [{ asDouble: 0.5 }] },
    })
  })

  test('a counter of the machine counts from the boot; from when a container does is not known', async () => {
    const { named } = await all()
    const since = (name: string) => named(name).sum!.dataPoints[0]!.startTimeUnixNano ?? '0'
    expect(since('system.cpu.time')).toBe(`${NOON_MS - 60_000}250000`)
    expect(since('container.cpu.time')).toBe('0')
    expect(since('process.cpu.time')).toBe('0')
    expect(named('system.cpu.time').sum!.dataPoints[0]!.timeUnixNano).toBe(`${NOON_MS}250000`)
  })

  test('a container without a name has no attribute for it', async () => {
    const { named } = await all()
    expect(plain(named('container.cpu.time').sum!.dataPoints[0]!.attributes)).toEqual({
      'container.id': '0123456789ab',
      'cpu.mode': 'user',
    })
  })
})

describeWithReceivers('events', () => {
  test('are log records with a name, a severity and what else is known', async () => {
    const event: StoredEvent = {
      id: 4711,
      timeMs: NOON_MS + 0.123,
      monotonicMs: 60_000.5,
      bootId: BOOT,
      source: 'systemd',
      type: 'unit.failed',
      level: 'error',
      subject: 'app.service',
      message: 'it failed ü',
      detail: { result: 'exit-code', code: 7 },
    }
    const { monotonicMs: _, detail: __, ...less } = event
    const levels = ['debug', 'info', 'warning', 'critical'] as const
    const others = levels.map((level, id): StoredEvent => Object.assign({}, less, { id, level, subject: '' }))
    const events = [event, ...others]
    const request = (await decoded('logs', Buffer.from(encodeEvents(events, ORIGIN)))) as {
      resourceLogs: { resource: { attributes: Attribute[] }; scopeLogs: { logRecords: Record<string, unknown>[] }[] }[]
    }
    expect(request.resourceLogs).toHaveLength(1)
    const [{ resource, scopeLogs }] = request.resourceLogs as [(typeof request.resourceLogs)[0]]
    expect(plain(resource.attributes)).toEqual(ORIGIN.resource)
    const [first, ...rest] = scopeLogs[0]!.logRecords as [Record<string, unknown>, ...Record<string, unknown>[]]
    expect(first).toMatchObject({
      timeUnixNano: `${NOON_MS}123000`,
      severityNumber: 'SEVERITY_NUMBER_ERROR',
      severityText: 'error',
      eventName: 'unit.failed',
      body: { stringValue: 'it failed ü' },
    })
    expect(plain(first['attributes'] as Attribute[])).toEqual({
      'log.record.uid': `${BOOT}:4711`,
      'diagd.event.id': '4711',
      'diagd.event.source': 'systemd',
      'diagd.event.subject': 'app.service',
      'diagd.event.monotonic_ms': 60_000.5,
      'diagd.event.detail': '{"result":"exit-code","code":7}',
      'diagd.boot.id': BOOT,
    })
    expect(rest.map(({ severityNumber }) => severityNumber)).toEqual([
      'SEVERITY_NUMBER_DEBUG',
      'SEVERITY_NUMBER_INFO',
      'SEVERITY_NUMBER_WARN',
      'SEVERITY_NUMBER_FATAL',
    ])
    expect(Object.keys(plain(rest[0]!['attributes'] as Attribute[]))).toEqual([
      'log.record.uid',
      'diagd.event.id',
      'diagd.event.source',
      'diagd.boot.id',
    ])
  })
})

/** ExportLogsServiceResponse {partial_success: {rejected_log_records: 3, error_message: "no"}}, by hand. */
const PARTIAL = Uint8Array.from([0x0a, 6, 0x08, 3, 0x12, 2, 0x6e, 0x6f])

test('what a collector took and threw away is told', () => {
  expect(rejectedBy('logs', PARTIAL)).toEqual({ count: 3, message: 'no' })
  expect(rejectedBy('metrics', PARTIAL)).toEqual({ count: 3, message: 'no' })
  // Only a warning: all of it was kept.
  expect(rejectedBy('logs', Uint8Array.from([0x0a, 4, 0x12, 2, 0x6e, 0x6f]))).toBeUndefined()
  for (const nothing of [[], [0x0a, 60, 1], [0xff, 0xff]] as number[][])
    expect(rejectedBy('logs', Uint8Array.from(nothing))).toBeUndefined()
})
