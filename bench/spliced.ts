/**
 * A bundle of stored logs of containers: spliced as they lie on the disk, and compressed again because the format or the mask wants it; beside `zcat | gzip` of
 * the same files. BENCH_KEPT_MIB sets how much text is stored (default 256). No root, no engine. CPU is processor time.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectBundle } from '../src/collect/bundle.ts'
import { createDeps } from '../src/collect/deps.ts'
import { parseBundleRequest } from '../src/collect/request.ts'
import type { Collector } from '../src/collector.ts'
import { loadConfig } from '../src/config/load.ts'
import { writeDocument } from '../src/record/containers/keep/document.ts'
import { LogWriter } from '../src/record/containers/keep/log-writer.ts'
import { stampOf } from '../src/record/containers/frames/moments.ts'
import { keptHere } from '../src/record/kept-here.ts'
import { writeLogs } from './logs.ts'
import { median, type Row } from './table.ts'

const MIB = 1024 * 1024
const STORED_MIB = Number(process.env.BENCH_KEPT_MIB ?? 256)
/** Below the limit of a log. */
const LOGS = 8
const ROUNDS = 3
const LONGEST_TEXT_BYTES = 256 * 1024

const containers: Collector = {
  title: 'stored logs',
  tier: 'logs',
  async *collect(kit) {
    for (const one of await kit.containers.kept()) yield kit.containers.log(one).as(`${one.name}/log.log`)
  },
}

export async function splicedRows(): Promise<Row[]> {
  const place = mkdtempSync(join(tmpdir(), 'diagd-bench-spliced-'))
  try {
    const text = join(place, 'text.log')
    writeLogs(text, (STORED_MIB * MIB) / LOGS, 1)
    const stored = Array.from({ length: LOGS }, (_, index) => store(place, `c${index}`, text))
    const textBytes = stored.reduce((sum, one) => sum + one.textBytes, 0)
    const diskBytes = stored.reduce((sum, one) => sum + one.diskBytes, 0)
    const sizes = `${(textBytes / MIB).toFixed(0)} MiB of text, ${(diskBytes / MIB).toFixed(0)} MiB as stored`
    const spliced = await bundles(place, 'tar.gz', RULES)
    const again = await bundles(place, 'tar.gz', 'others')
    const zstd = await bundles(place, 'tar.zst', RULES)
    const pipe = pipeOf(place)
    return [
      { what: 'stored logs in a bundle, spliced', measured: spliced, beside: sizes },
      { what: 'masked again, tar.gz', measured: again, beside: `${pipe}: zcat | gzip, one core, no mask` },
      { what: 'masked again, tar.zst', measured: zstd, beside: '' },
    ]
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

const RULES = 'of the bench'

/** As the tail does it: a batch each half second, say 100 KiB. */
function store(place: string, name: string, source: string) {
  const folder = join(place, 'containers', 'rootful', name.padEnd(64, '0'))
  const writer = new LogWriter({ folder, maxBytes: 1e9 }, { rules: RULES, values: 0 })
  const fd = openSync(source, 'r')
  const block = Buffer.alloc(LONGEST_TEXT_BYTES)
  const beginSeconds = Math.floor(Date.now() / 1000) - 3600
  let [textBytes, count, rest] = [0, 0, '']
  for (let read = readSync(fd, block); read > 0; read = readSync(fd, block)) {
    const lines = (rest + block.toString('latin1', 0, read)).split('\n')
    rest = lines.pop()!
    const stamps = lines.map(() => stampOf(beginSeconds + Math.floor(count / 1000), (count++ % 1000) * 1e6))
    const text = Buffer.from(lines.map((line, index) => `${stamps[index]} stdout F ${line}\n`).join(''), 'latin1')
    textBytes += text.length
    const times = { first: stamps[0], last: stamps.at(-1), highestSeconds: beginSeconds }
    const none = { frames: new Uint32Array(0), flood: 0, withheld: 0, ambiguous: 0, rules: RULES, values: 0 }
    writer.append({ text, lines: lines.length, ...times, ...none })
  }
  closeSync(fd)
  writer.seal()
  const { diskBytes } = writer
  writer.close()
  const facts = {
    id: name.padEnd(64, '0'),
    name,
    image: 'bench',
    engine: 'rootful',
    state: 'removed',
    logComplete: true,
  }
  writeDocument(folder, 'state.json', Buffer.from(JSON.stringify(facts)))
  return { textBytes, diskBytes }
}

/** Wall and processor time of the whole, the median of some. */
async function bundles(place: string, format: string, rules: string): Promise<string> {
  const environment = {
    DIAGD_CONFIG_DIR: place,
    DIAGD_STATE_DIR: place,
    DIAGD_LISTEN: 'none',
    DIAGD_SOCKET: join(place, 's'),
  }
  const { config } = await loadConfig(environment, process.geteuid!())
  const all = await createDeps(config, { startedAtMs: Date.now(), log: () => '', health: () => ({}) })
  const here = keptHere({ flush: async () => {} }, place, () => all.redaction)
  const kept = { ...here, maskedWith: async () => ({ rules, values: 0 }) }
  const deps = { ...all, kept, collectors: [{ id: 'containers', collector: containers }] }
  const asked = { nowMs: Date.now(), collectorIds: ['containers'], defaults: config.limits }
  const request = parseBundleRequest({ limits: 'none', since: '1d', format }, asked)
  const rounds: { seconds: number; cpuSeconds: number; mib: number }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage()
    const { durationMs, bytesIn, rows } = await collectBundle(
      request,
      deps,
      { write: async () => {} },
      { signal: new AbortController().signal },
    )
    const bad = rows.find(({ outcome }) => outcome !== 'ok')
    if (bad || rows.length !== LOGS) throw new Error(`the bundle is not whole: ${bad?.detail ?? rows.length}`)
    const { user, system } = process.cpuUsage(before)
    // The first one loads code.
    if (round > 0) rounds.push({ seconds: durationMs / 1000, cpuSeconds: (user + system) / 1e6, mib: bytesIn / MIB })
  }
  await all.redaction.service.close()
  const [seconds, cpu] = [median(rounds.map((one) => one.seconds)), median(rounds.map((one) => one.cpuSeconds))]
  return `${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s`
}

function pipeOf(place: string): string {
  const beganMs = performance.now()
  const files = `${place}/containers/rootful/*/log-*.gz`
  const script = `TIMEFORMAT='%U %S'; { time { zcat ${files} | gzip > /dev/null; } 2>&3; } 3>/dev/null 2>&1`
  const text = execFileSync('bash', ['-c', script], { encoding: 'utf8' })
  const cpu = text
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds), 0)
  return `${((performance.now() - beganMs) / 1000).toFixed(2)} s, CPU ${cpu.toFixed(2)} s`
}
