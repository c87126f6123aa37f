/** What is served under the names of node_exporter is what node_exporter serves, of the same machine at the same moment. */
import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CATALOGUE } from '../../../src/record/metrics/catalogue/index.ts'
import { LABELS } from '../../../src/record/metrics/catalogue/labels.ts'
import type { Metric, ReadingRow } from '../../../src/record/metrics/metric.ts'
import { createSampler } from '../../../src/record/metrics/sampler.ts'
import { freePort } from '../../helpers/control-plane.ts'
import { NEVER } from './read/machine.ts'

const hasExporter = spawnSync('prometheus-node-exporter', ['--version']).status === 0
if (!hasExporter && process.env['CI']) throw new Error('this needs the Debian package prometheus-node-exporter')
const title = `${hasExporter ? '' : 'SKIPPED: needs the Debian package prometheus-node-exporter: '}beside node_exporter`

/** Kernels let the idle time of a CPU step back a little; node_exporter does not show that. */
const SLACK_SECONDS = 1
/** Gauges that do not change from one moment to the next. */
const steady =
  /^node_(?:memory_(?:Mem|Swap)Total_bytes|filefd_maximum|nf_conntrack_entries_limit|filesystem_(?:size_bytes|files|readonly|device_error)|boot_time_seconds)$/
/** Debian's build of it leaves out `lo`; of mounts it is to look at `/` only: other tests make some that never answer. */
const leftOutThere = ({ labels }: ReadingRow) =>
  labels.device === 'lo' || (labels.mountpoint !== undefined && labels.mountpoint !== '/')
const flags = ['--collector.processes', '--collector.filesystem.mount-points-exclude=^/.+', '--log.level=error']

describe.runIf(hasExporter)(title, () => {
  test('counters and sizes are the same', async () => {
    const scrape = await startExporter()
    const before = await scrape()
    const { reading } = createSampler({ intervalMs: 10_000, pressure: NEVER }).sample()
    const after = await scrape()
    const served = reading.rows.filter((row) => !leftOutThere(row)).flatMap(seriesOf)
    const compared = served.filter(({ metric, name }) => metric.kind === 'counter' || steady.test(name))
    expect(compared.length).toBeGreaterThan(60)
    for (const { series, value, metric } of compared) {
      const [low, high] = [before.get(series), after.get(series)]
      const slack = metric.subject === 'cpu' ? SLACK_SECONDS : 1e-6
      expect([series, low !== undefined && value >= low - slack]).toEqual([series, true])
      expect([series, high !== undefined && value <= high + slack]).toEqual([series, true])
    }
  })
})

async function startExporter(): Promise<() => Promise<Map<string, number>>> {
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn('prometheus-node-exporter', [`--web.listen-address=${address}`, ...flags], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const scrape = async () => parse(await (await fetch(`http://${address}/metrics`)).text())
  while (!(await scrape().catch(() => undefined)) && child.exitCode === null) await delay(20)
  return scrape
}

function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      const [, name = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(line.slice(0, end)) ?? []
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key!, value!] as const)
      return [seriesName(name, Object.fromEntries(pairs)), Number(line.slice(end + 1))]
    }),
  )
}

function seriesOf(row: ReadingRow): { series: string; name: string; value: number; metric: Metric }[] {
  const labels = LABELS[row.subject].flatMap(({ key, prometheus }) =>
    prometheus !== undefined && row.labels[key] !== undefined ? [[prometheus, row.labels[key]]] : [],
  )
  return CATALOGUE.flatMap((metric) => {
    const value = row.values[metric.name]
    const { name, labels: own } = metric.prometheus ?? { name: '' }
    if (metric.subject !== row.subject || value === undefined || !name.startsWith('node_')) return []
    return [{ series: seriesName(name, { ...Object.fromEntries(labels), ...own }), name, value, metric }]
  })
}

function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return `${name}{${pairs.sort().join(',')}}`
}
