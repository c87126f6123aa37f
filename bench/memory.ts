/** The daemon under a slow and a fast reader of 2 GiB of sources: growth of its memory, and when the first entries are there. */
import { spawn, type ChildProcess } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const GIB = 1024 ** 3
/** A slow reader is watched for this long; by then every buffer on the way is full. */
const SLOW_SECONDS = 20
const SLOW_BYTES_PER_SECOND = 100_000

export async function memoryRows(work: Workplace): Promise<Row[]> {
  const bytes = manyLogs(work)
  const daemon = await start(work)
  try {
    // The first bundle loads code and warms caches that stay; growth is what comes on top.
    await read(work, 'only=extras&limits=bundle=20MB', 0)
    const first = await firstEntries(work)
    const rows: Row[] = [
      { what: 'index.json decodable after the request', measured: `${first.indexMs.toFixed(0)} ms`, beside: '≤ 50 ms' },
      {
        what: 'summary.txt decodable after the request',
        measured: `${first.summaryMs.toFixed(0)} ms`,
        beside: '≤ 2000 ms',
      },
    ]
    const encrypted = `&recipient=${work.recipient}`
    for (const [what, bytesPerSecond, more] of [
      ['reader of 100 kB/s', SLOW_BYTES_PER_SECOND, ''],
      ['fast reader', 0, ''],
      ['reader of 100 kB/s, encrypted', SLOW_BYTES_PER_SECOND, encrypted],
      ['fast reader, encrypted', 0, encrypted],
    ] as const) {
      const before = residentMiB(daemon)
      const peak = await peakWhile(daemon, read(work, `only=extras&limits=none&since=2d${more}`, bytesPerSecond))
      rows.push({
        what: `memory growth, ${(bytes / GIB).toFixed(1)} GiB of sources, ${what}`,
        measured: `${(peak - before).toFixed(1)} MiB (from ${before.toFixed(1)})`,
        beside: '≤ 32 MiB',
      })
    }
    return rows
  } finally {
    daemon.kill()
  }
}

/** The logs again and again under other names, as hard links: 2 GiB to read, none of it on disk. */
function manyLogs(work: Workplace): number {
  const many = join(work.folder, 'many')
  mkdirSync(many)
  let bytes = 0
  for (let copy = 0; bytes < 2 * GIB; copy++) {
    for (const name of readdirSync(work.logs)) {
      linkSync(join(work.logs, name), join(many, `${copy}-${name}`))
      bytes += (work.megabytes * 1e6) / readdirSync(work.logs).length
    }
  }
  writeFileSync(join(work.environment.DIAGD_CONFIG_DIR!, 'extras.d', 'bench.conf'), `${many}/*.log\n`)
  return bytes
}

async function start(work: Workplace): Promise<ChildProcess> {
  const daemon = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    env: work.environment,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    daemon.stderr.on('data', (chunk: Buffer) => {
      if (chunk.includes('--unix-socket')) resolve()
    })
    daemon.on('exit', (code) => reject(new Error(`diagd serve exited with code ${code}`)))
  })
  return daemon
}

/** Reads a bundle; at a limited rate for SLOW_SECONDS and then leaves, or whole when the rate is 0. */
async function read(work: Workplace, query: string, bytesPerSecond: number): Promise<void> {
  const response = await get(work, query)
  if (bytesPerSecond === 0) {
    for await (const _ of response) void _
    return
  }
  const endMs = performance.now() + SLOW_SECONDS * 1000
  response.pause()
  while (performance.now() < endMs) {
    response.read(Math.min(bytesPerSecond / 10, response.readableLength) || undefined)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  response.destroy()
}

function get(work: Workplace, query: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath: work.socket, path: `/debug-package?${query}` }, resolve)
      .on('error', reject)
      .end()
  })
}

async function firstEntries(work: Workplace): Promise<{ indexMs: number; summaryMs: number }> {
  const began = performance.now()
  const response = await get(work, 'only=system')
  let [text, indexMs, summaryMs] = ['', 0, 0]
  for await (const chunk of response.pipe(createGunzip())) {
    text += (chunk as Buffer).toString('latin1')
    if (indexMs === 0 && /\n\}\n/.test(text)) indexMs = performance.now() - began
    if (summaryMs === 0 && text.includes('manifest.json (last entry)')) summaryMs = performance.now() - began
  }
  return { indexMs, summaryMs }
}

async function peakWhile(daemon: ChildProcess, work: Promise<void>): Promise<number> {
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, residentMiB(daemon))), 20)
  try {
    await work
  } finally {
    clearInterval(timer)
  }
  return peak
}

function residentMiB(daemon: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))![1]) / 1024
}
