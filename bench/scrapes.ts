/**
 * What it costs to be asked by Prometheus: the release, and prometheus-node-exporter of Debian, on this machine side by side,
 * over the same scrapes. diagd records events and samples meanwhile, for that is what it is there for.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildDeb } from '../test/system/harness/global-setup.ts'
import { startDaemon } from './daemon.ts'
import { commandsHere } from './footprint.ts'
import { cpuMs, memoryOf } from './processes.ts'
import { spread, type Row } from './table.ts'

const SCRAPES = 60
/** diagd looks at the machine once a second at most: faster would flatter it. */
const EVERY_MS = 1100
/** After their starts both are quiet. */
const SETTLED_MS = 10_000
const PORT = 19_100

interface Exporter {
  readonly name: string
  readonly pid: number
  readonly at: RequestOptions
  stop(): Promise<unknown>
}

export async function scrapesRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'diagd-bench-'))
  const started: Exporter[] = []
  try {
    const { release } = await commandsHere(await buildDeb(folder), folder)
    const place = join(folder, 'release')
    const daemon = await startDaemon(release, place)
    started.push({ name: 'diagd', ...daemon, at: { socketPath: join(place, 'diagd.sock') } })
    started.push(startNodeExporter())
    await delay(SETTLED_MS)
    return await rowsOf(started)
  } finally {
    await Promise.all(started.map((one) => one.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}

function startNodeExporter(): Exporter {
  // The root alone: it hangs on a mount that is dead.
  const flags = [`--web.listen-address=127.0.0.1:${PORT}`, '--collector.filesystem.mount-points-exclude=^/.+']
  const child = spawn('prometheus-node-exporter', [...flags, '--collector.processes'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  return {
    name: 'node_exporter',
    pid: child.pid!,
    at: { host: '127.0.0.1', port: PORT },
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

interface Measured {
  readonly series: number
  readonly bytes: number
  readonly times: readonly number[]
  readonly cpuMs: number
  readonly idleMs: number
}

async function rowsOf(exporters: readonly Exporter[]): Promise<Row[]> {
  const all = new Map<Exporter, Measured>()
  const idleBefore = exporters.map(({ pid }) => cpuMs(pid))
  await delay(SCRAPES * EVERY_MS)
  const before = exporters.map(({ pid }) => cpuMs(pid))
  const answers = exporters.map(() => ({ text: '', times: [] as number[] }))
  for (let round = 0; round < SCRAPES; round++) {
    for (const [at, exporter] of exporters.entries()) {
      const began = performance.now()
      answers[at]!.text = await scraped(exporter.at)
      answers[at]!.times.push(performance.now() - began)
    }
    await delay(EVERY_MS)
  }
  for (const [at, exporter] of exporters.entries()) {
    const { text, times } = answers[at]!
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    const idleMs = before[at]! - idleBefore[at]!
    all.set(exporter, { series, bytes: text.length, times, cpuMs: cpuMs(exporter.pid) - before[at]! - idleMs, idleMs })
  }
  const [ours, theirs] = exporters as [Exporter, Exporter]
  const row = (what: string, say: (exporter: Exporter, measured: Measured) => string): Row => ({
    what: `${what}, ${SCRAPES} scrapes, one every ${EVERY_MS / 1000} s`,
    measured: say(ours, all.get(ours)!),
    beside: `${theirs.name}: ${say(theirs, all.get(theirs)!)}`,
  })
  return [
    row('series of an answer', (_, { series, bytes }) => `${series}, ${(bytes / 1000).toFixed(0)} kB`),
    row('processor time of a scrape', (_, { cpuMs }) => `${(cpuMs / SCRAPES).toFixed(1)} ms`),
    row('processor time without scrapes', (_, { idleMs }) => {
      return `${((idleMs / (SCRAPES * EVERY_MS)) * 100).toFixed(2)} % of a core`
    }),
    row('answer after', (_, { times }) => spread(times, 'ms', 1)),
    row('RSS at the end', ({ pid }) => {
      const { residentMiB, anonymousMiB } = memoryOf(pid)
      return `${residentMiB.toFixed(1)} MiB, ${anonymousMiB.toFixed(1)} of it anonymous`
    }),
  ]
}

async function scraped(at: RequestOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request({ ...at, path: '/metrics', agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString())
      else reject(new Error(`/metrics answered ${response.statusCode}`))
    })
  })
  asked.on('error', reject).end()
  return promise
}
