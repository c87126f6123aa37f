/** Processes by state, and those that take most of what something waits for. */
import { PROCESS_STATES } from '../catalogue/host-system.ts'
import type { ReadingRow } from '../metric.ts'
import type { ContainerOf } from './container-finder.ts'
import type { Files } from './files.ts'
import { pressed, type Resource, type Thresholds } from './pressed.ts'
import type { Process, ProcessTable } from './process-table.ts'
import { known, type Moment, type Part, type Reader } from './reader.ts'
import { numberAfter } from './text.ts'

/** Of each resource that something waits for. */
const MOST_NAMED = 10
const TICKS_PER_SECOND = 100

interface Candidate {
  readonly process: Process
  /** NaN where there is nothing to compare with. */
  readonly cpuRatio: number
  readonly faultRate: number
  readonly readRate: number
  readonly writeRate: number
}

type Written = Readonly<Record<'read' | 'written', number>>

export function processesReader(
  files: Files,
  table: ProcessTable,
  { thresholds, pageBytes, containerOf }: { thresholds: Thresholds; pageBytes: number; containerOf: ContainerOf },
): Reader {
  // Reading what all processes read and wrote doubles the cost, so that is done only while something waits for a disk.
  let io = new Map<string, Written>()
  return {
    name: 'processes',
    read({ host }: Moment): Part {
      const short = pressed(host, thresholds)
      const before = io
      io = short.includes('io') ? ioOfAll(files, table) : new Map()
      const named = short.length > 0 ? top(table, short, { before, now: io }) : []
      const rows = named.map((candidate) => rowOf(candidate, { pageBytes, containerOf }))
      return { host: states(table), rows }
    },
  }
}

function states(table: ProcessTable) {
  const counts = Object.fromEntries(Object.values(PROCESS_STATES).map(([name]) => [`processes_${name}`, 0]))
  let [processes, threads] = [0, 0]
  for (const process of table.all()) {
    processes++
    threads += process.threads
    const key = `processes_${PROCESS_STATES[process.state as keyof typeof PROCESS_STATES]?.[0]}`
    if (counts[key] !== undefined) counts[key]++
  }
  if (processes === 0) return {}
  return { ...counts, processes: processes + table.left(), threads, left_out_process_count: table.left() }
}

/** The first of each resource, each process once. */
function top(
  table: ProcessTable,
  short: readonly Resource[],
  io: { before: ReadonlyMap<string, Written>; now: ReadonlyMap<string, Written> },
): Candidate[] {
  const seconds = (table.sinceMs() ?? 0) / 1000
  const candidates = [...table.all()].map((process): Candidate => {
    const { before } = process
    const [was, is] = [io.before.get(keyOf(process)), io.now.get(keyOf(process))]
    const rate = (kind: keyof Written) => (was && is && seconds > 0 ? (is[kind] - was[kind]) / seconds : NaN)
    const since = (key: 'cpuTicks' | 'majorFaults') =>
      before && seconds > 0 ? (process[key] - before[key]) / seconds : NaN
    return {
      process,
      cpuRatio: since('cpuTicks') / TICKS_PER_SECOND,
      faultRate: since('majorFaults'),
      readRate: rate('read'),
      writeRate: rate('written'),
    }
  })
  const first = (share: (candidate: Candidate) => number) =>
    candidates
      .filter((candidate) => share(candidate) > 0)
      .sort((a, b) => share(b) - share(a))
      .slice(0, MOST_NAMED)
  return [...new Set(short.flatMap((resource) => first(SHARES[resource])))]
}

/** By what they are ordered. Who cannot go on for want of a disk comes before those who only use it. */
const SHARES: Readonly<Record<Resource, (candidate: Candidate) => number>> = {
  cpu: ({ cpuRatio }) => cpuRatio || 0,
  memory: ({ process }) => process.residentPages,
  io: ({ process, readRate, writeRate }) => (readRate || 0) + (writeRate || 0) + (process.state === 'D' ? 1 : 0),
}

function rowOf(
  { process, cpuRatio, faultRate, readRate, writeRate }: Candidate,
  { pageBytes, containerOf }: { pageBytes: number; containerOf: ContainerOf },
): ReadingRow {
  const container = containerOf(process)
  return {
    subject: 'process',
    labels: {
      pid: String(process.pid),
      name: Buffer.from(process.name, 'latin1').toString(),
      ...(container !== undefined && { container }),
    },
    values: known({
      cpu_ratio: cpuRatio,
      resident_bytes: process.residentPages * pageBytes,
      read_bytes_per_second: readRate,
      written_bytes_per_second: writeRate,
      major_faults_per_second: faultRate,
      threads: process.threads,
      uninterruptible: process.state === 'D' ? 1 : 0,
    }),
  }
}

function ioOfAll(files: Files, table: ProcessTable): Map<string, Written> {
  const all = new Map<string, Written>()
  for (const process of table.all()) {
    const [read, written] = ['read_bytes', 'write_bytes'].map((key) => numberAfter(ioOf(files, process), key))
    if (read !== undefined && written !== undefined) all.set(keyOf(process), { read, written })
  }
  return all
}

/** Those of others may be read with CAP_SYS_PTRACE only: without it nobody's reading and writing is told. */
function ioOf(files: Files, { pid }: Process): string {
  try {
    return files.line(`/proc/${pid}/io`) ?? ''
  } catch {
    return ''
  }
}

function keyOf({ pid, startTicks }: Process): string {
  return `${pid} ${startTicks}`
}
