/** A daemon that is measured by others: Prometheus scrapes it, OpenTelemetry's receivers get what it sends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { CATALOGUE } from '../src/record/metrics/catalogue/index.ts'
import { startCollector } from './helpers/collector.ts'
import { freePort } from './helpers/control-plane.ts'
import { ownFolder, startDaemon, type TestDaemon } from './helpers/daemon.ts'
import { decoded, describeWithReceivers, startVictoriaMetrics } from './helpers/otlp-receivers.ts'
import { describeWithPrometheus, startPrometheus } from './helpers/prometheus.ts'

/** By name and labels: `diagd_events_recorded_total{level="info"}`. */
async function metricsOf(daemon: TestDaemon): Promise<Map<string, number>> {
  const { body } = await daemon.ask('GET', '/metrics')
  const lines = body.toString().split('\n')
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
  )
}

/** Asks until it is so. */
async function untilMetric(daemon: TestDaemon, name: string, holds: (value: number) => boolean): Promise<void> {
  while (!holds((await metricsOf(daemon)).get(name) ?? Number.NaN));
}

describe('GET /metrics', () => {
  test('tells of the machine, and of diagd', async () => {
    const daemon = await startDaemon()
    const metrics = await metricsOf(daemon)
    expect(metrics.get('node_memory_MemTotal_bytes')).toBe(totalmem())
    expect(metrics.get('diagd_reading_success')).toBe(1)
    expect(metrics.get(`diagd_build_info{version="0.1.0",node_version="${process.version}"}`)).toBe(1)
    expect([...metrics.keys()].filter((name) => name.startsWith('node_cpu_seconds_total')).length).toBeGreaterThan(4)
    await daemon.stop()
  })

  test('counts what is recorded, handed over and refused', async () => {
    const daemon = await startDaemon()
    await daemon.ask('POST', '/events', [
      { type: 'test.one', level: 'critical' },
      { type: 'test.two', level: 'critical' },
    ])
    await daemon.ask('GET', '/debug-package?only=packages')
    await daemon.ask('GET', '/debug-package?only=nothing')
    const metrics = await metricsOf(daemon)
    expect(metrics.get('diagd_events_recorded_total{level="critical"}')).toBe(2)
    expect(metrics.get('diagd_bundles_total{outcome="whole"}')).toBe(1)
    expect(metrics.get('diagd_bundle_bytes_total')).toBeGreaterThan(500)
    expect(metrics.get('diagd_requests_refused_total{code="bad-parameter"}')).toBe(1)
    expect(metrics.get('diagd_bundles_running')).toBe(0)
    await untilMetric(daemon, 'diagd_samples_stored', (samples) => samples >= 1)
    await daemon.stop()
  })

  test('with metrics: none it has what diagd counts, and nothing of the machine; with events: none no events', async () => {
    const daemon = await startDaemon({ DIAGD_METRICS: 'none', DIAGD_EVENTS: 'none' })
    const names = [...(await metricsOf(daemon)).keys()]
    expect(names.filter((name) => /^(?:node|process|diagd_(?:events|samples|reading))_/.test(name))).toEqual([])
    expect(names).toContain('diagd_problems')
    expect((await daemon.ask('GET', '/metrics/export')).json()).toMatchObject({ code: 'not-recording' })
    expect((await daemon.ask('GET', '/health')).json()).toMatchObject({
      status: 'ok',
      recorder: { state: 'off' },
      metrics: { state: 'off' },
    })
    await daemon.stop()
  })

  test('where the database cannot be, the machine is still told', async () => {
    const folder = ownFolder()
    // A file in the place of the folder of the state.
    writeFileSync(join(folder, 'state'), '')
    const daemon = await startDaemon({}, folder)
    await untilMetric(daemon, 'diagd_metrics_recording', (recording) => recording === 0)
    const metrics = await metricsOf(daemon)
    expect(metrics.get('node_memory_MemTotal_bytes')).toBe(totalmem())
    expect(metrics.get('diagd_events_recording')).toBe(0)
    expect(metrics.get('diagd_problems')).toBeGreaterThanOrEqual(2)
    await daemon.stop()
  })
})

describeWithPrometheus('Prometheus', () => {
  test('finds nothing wrong with it but that names of node_exporter are in camel case', async () => {
    const daemon = await startDaemon()
    await daemon.ask('POST', '/events', { type: 'test.one' })
    await daemon.ask('GET', '/debug-package?only=packages')
    const { body } = await daemon.ask('GET', '/metrics')
    const { all } = await execa('promtool', ['check', 'metrics'], { input: body, reject: false, all: true })
    const camel = /^node_(?:memory|netstat)_\S+ metric names should be written in 'snake_case' not 'camelCase'$/
    expect(all.split('\n').filter((line) => line !== '' && !camel.test(line))).toEqual([])
    await daemon.stop()
  })

  test('scrapes it with a token, in the format that it asks for', async () => {
    const folder = ownFolder()
    const port = await freePort()
    const environment = {
      DIAGD_LISTEN: `127.0.0.1:${port}`,
      DIAGD_CONFIG_DIR: join(folder, 'config'),
      DIAGD_NODE: 'web-1',
    }
    const daemon = await startDaemon(environment, folder)
    const { stdout } = await daemon.run('token', 'create', 'prometheus', '--scopes', 'read', '-o', '-')
    const token = join(folder, 'prometheus.token')
    writeFileSync(
      token,
      stdout
        .toString()
        .replace(/^Authorization: Bearer /, '')
        .trim(),
    )
    const prometheus = await startPrometheus(`
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: diagd
    authorization: { credentials_file: ${token} }
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
  - job_name: without
    metrics_path: /metrics
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
`)
    const [total] = await prometheus.until('node_memory_MemTotal_bytes')
    expect(total).toMatchObject({ value: totalmem(), metric: { job: 'diagd', instance: `127.0.0.1:${port}` } })
    expect(await prometheus.until('up{job="diagd"} == 1')).toHaveLength(1)
    expect(await prometheus.until('up{job="without"} == 0')).toHaveLength(1)
    // Two scrapes make a rate, and counters are known as such.
    await prometheus.until('rate(node_cpu_seconds_total{cpu="0",mode="user"}[10s])')
    type Metadata = Record<string, { type: string }[]>
    let metadata: Metadata = {}
    while (!metadata['node_load1']) metadata = (await prometheus.api('/api/v1/metadata')) as Metadata
    // OpenMetrics, which it asked for, names a counter without the end of its samples.
    expect(metadata['node_cpu_seconds_total'] ?? metadata['node_cpu_seconds']).toMatchObject([{ type: 'counter' }])
    await daemon.stop()
  })

  test('has the same types for it as for node_exporter, wherever both have a name', async () => {
    const text = await nodeExporterText()
    const typesIn = (metrics: string) =>
      new Map([...metrics.matchAll(/^# TYPE (node_\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]))
    const theirs = typesIn(text)
    const daemon = await startDaemon()
    const ours = typesIn((await daemon.ask('GET', '/metrics')).body.toString())
    await daemon.stop()
    const both = [...ours.keys()].filter((name) => theirs.has(name))
    expect(both.length).toBeGreaterThan(50)
    // It says of some that it does not know.
    const typed = both.filter((name) => theirs.get(name) !== 'untyped')
    expect(typed.map((name) => [name, ours.get(name)])).toEqual(typed.map((name) => [name, theirs.get(name)]))
    // Without their collector on this kernel: pressure, conntrack.
    const alone = [...ours.keys()].filter((name) => !theirs.has(name) && !/^node_(?:pressure|nf_conntrack)_/.test(name))
    expect(alone).toEqual([])
  })
})

/** One answer of it. It asks the root alone for its size: on a mount that is dead, as other tests make them, it would hang for ever. */
async function nodeExporterText(): Promise<string> {
  const url = `127.0.0.1:${await freePort()}`
  const flags = ['--collector.processes', '--collector.filesystem.mount-points-exclude=^/.+']
  const exporter = spawn('prometheus-node-exporter', [`--web.listen-address=${url}`, ...flags], { stdio: 'ignore' })
  const ended = once(exporter, 'close')
  try {
    for (;;) {
      if (exporter.exitCode !== null) throw new Error(`node_exporter ended with ${exporter.exitCode}`)
      const answer = await fetch(`http://${url}/metrics`).catch(() => undefined)
      if (answer?.ok) return await answer.text()
    }
  } finally {
    exporter.kill('SIGKILL')
    await ended
  }
}

interface LogsRequest {
  readonly resourceLogs: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
    }
    readonly scopeLogs: readonly { readonly logRecords: readonly { readonly eventName: string }[] }[]
  }[]
}

describeWithReceivers('OpenTelemetry', () => {
  const otlp = (endpoint: URL, more: object = {}) => ({
    DIAGD_OTLP: JSON.stringify({ endpoint: endpoint.href, interval: '10s', ...more }),
    DIAGD_NODE: 'web-1',
  })

  test('a receiver has the numbers of this machine, with what it is', async () => {
    const receiver = await startVictoriaMetrics()
    const daemon = await startDaemon(otlp(receiver.endpoint, { events: false }))
    const [total] = await receiver.until('system_memory_limit_bytes')
    expect(total).toMatchObject({
      value: totalmem(),
      metric: { service_name: 'diagd', service_instance_id: 'web-1', os_type: 'linux' },
    })
    expect((await daemon.ask('GET', '/health')).json()).toMatchObject({
      otlp: { metrics: { state: 'sending', failed: 0 } },
    })
    await untilMetric(daemon, 'diagd_otlp_requests_total{signal="metrics",outcome="taken"}', (taken) => taken >= 1)
    await daemon.stop()
  })

  test('events come once, masked, over a kill -9 and a collector that was away', async () => {
    const collector = await startCollector()
    collector.answer(() => ({ status: 503 }))
    const first = await startDaemon(otlp(collector.url, { metrics: false }))
    await first.ask('POST', '/events', { type: 'test.one', message: 'DB_PASSWORD=hunter2sevenTimes' })
    await collector.until(1)
    first.running.child.kill('SIGKILL')
    await first.running.ended
    collector.answer(() => ({ status: 200 }))
    const before = collector.got.length
    const second = await startDaemon(otlp(collector.url, { metrics: false }), first.folder)
    await second.ask('POST', '/events', { type: 'test.two' })
    const names: string[] = []
    let at = before
    while (!names.includes('test.two')) {
      await collector.until(at + 1)
      const request = (await decoded('logs', collector.got[at]!.body)) as LogsRequest
      at += 1
      expect(JSON.stringify(request)).not.toContain('hunter2')
      const [{ resource, scopeLogs }] = request.resourceLogs as [LogsRequest['resourceLogs'][0]]
      expect(resource.attributes).toContainEqual({ key: 'service.instance.id', value: { stringValue: 'web-1' } })
      names.push(...scopeLogs[0]!.logRecords.map(({ eventName }) => eventName))
    }
    await second.stop()
    expect(names.filter((name) => name.startsWith('test.'))).toEqual(['test.one', 'test.two'])
    expect(names.filter((name) => name === 'diagd.started')).toHaveLength(2)
    const again = collector.got.length
    const third = await startDaemon(otlp(collector.url, { metrics: false }), first.folder)
    await collector.until(again + 1)
    const request = (await decoded('logs', collector.got[again]!.body)) as LogsRequest
    const rest = request.resourceLogs[0]!.scopeLogs[0]!.logRecords.map(({ eventName }) => eventName)
    expect(rest).not.toContain('test.two')
    await third.stop()
  })
})

test('everything that is served has a name of Prometheus, or of OpenTelemetry, or is kept', () => {
  const useless = CATALOGUE.filter(({ prometheus, otel, kept }) => !prometheus && !otel && !kept)
  expect(useless).toEqual([])
})
