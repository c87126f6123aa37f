/**
 * `npm run bench`: what diagd promises in numbers, beside its peer in the same run. Prints a table; judges nothing but
 * shows the promise in its own column. Needs age, pigz, strace and tar. BENCH_MB sets the amount of logs (default 400).
 * `npm run bench -- redact` runs that part alone; parts: throughput, redact, engine, memory, writes, events, follow,
 * metrics-db; and as root, without those logs: sample, tail (needs docker.io and busybox-static), spliced (needs no root), scrapes (beside
 * prometheus-node-exporter), upload (needs Ceph: radosgw, ceph-mon, ceph-osd, ceph-common), and on a test machine (docs/testing.md) footprint, peers.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineRows } from './engine.ts'
import { eventsRows } from './events.ts'
import { followRows } from './follow.ts'
import { footprintRows } from './footprint.ts'
import { writeLogs } from './logs.ts'
import { memoryRows } from './memory.ts'
import type { Workplace } from './workplace.ts'
import { metricsDbRows } from './metrics-db.ts'
import { peersRows } from './peers.ts'
import { redactRows } from './redact.ts'
import { sampleRows } from './sample.ts'
import { scrapesRows } from './scrapes.ts'
import { splicedRows } from './spliced.ts'
import { printTable, type Row } from './table.ts'
import { tailRows } from './tail.ts'
import { throughputRows } from './throughput.ts'
import { uploadRows } from './upload.ts'
import { writesRows } from './writes.ts'

const FILES = 8
const PARTS = {
  throughput: throughputRows,
  redact: redactRows,
  engine: engineRows,
  memory: memoryRows,
  writes: writesRows,
  events: eventsRows,
  follow: followRows,
  'metrics-db': metricsDbRows,
}
const MACHINE_PARTS = {
  sample: sampleRows,
  tail: tailRows,
  spliced: splicedRows,
  scrapes: scrapesRows,
  upload: uploadRows,
  footprint: footprintRows,
  peers: peersRows,
}

const folder = mkdtempSync(join(tmpdir(), 'diagd-bench-'))
try {
  const named = process.argv.slice(2)
  const wanted = (name: string) => named.length === 0 || named.includes(name)
  const rows: Row[] = []
  const loads = [loadavg()[0]!]
  const parts = Object.entries(PARTS).filter(([name]) => wanted(name))
  const megabytes = parts.length > 0 ? Number(process.env.BENCH_MB ?? 400) : 0
  if (megabytes > 0) {
    const work = prepare(folder, megabytes)
    for (const [, part] of parts) rows.push(...(await part(work)))
  }
  for (const [name, part] of Object.entries(MACHINE_PARTS)) {
    if (!wanted(name)) continue
    loads.push(loadavg()[0]!)
    rows.push(...(await part()))
  }
  loads.push(loadavg()[0]!)
  console.log(
    `\n${availableParallelism()} cores, load ${loads.map((load) => load.toFixed(1)).join(' → ')}, Node ${process.version}` +
      `${megabytes > 0 ? `, ${megabytes} MB of generated logs in ${FILES} files` : ''}\n`,
  )
  printTable(rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function prepare(path: string, megabytes: number): Workplace {
  const logs = join(path, 'logs')
  const config = join(path, 'config')
  mkdirSync(logs)
  mkdirSync(join(config, 'extras.d'), { recursive: true })
  for (let file = 0; file < FILES; file++) writeLogs(join(logs, `app-${file}.log`), (megabytes * 1e6) / FILES, file + 1)
  writeFileSync(join(config, 'extras.d', 'bench.conf'), `${logs}/*.log\n`)
  const socket = join(path, 'diagd.sock')
  const environment = {
    PATH: process.env.PATH!,
    HOME: path,
    DIAGD_CONFIG_DIR: config,
    DIAGD_SOCKET: socket,
    DIAGD_LISTEN: 'none',
  }
  const key = join(path, 'key.txt')
  execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' })
  const recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim()
  return { folder: path, logs, megabytes, environment, socket, recipient }
}
