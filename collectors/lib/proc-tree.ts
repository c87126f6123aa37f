/** The process tree as a text for people and as JSON for machines. No I/O. */
import { ticksPerSecond } from './proc-parse.ts'
import type { Process, Scan } from './proc-scan.ts'
import { bytes, duration, oneLine, percent, shortened, table, utc } from './proc-text.ts'

/** Children under their parents. One row a process, whatever is in its arguments. */
export function treeText(scan: Scan): string {
  const rows = inTreeOrder(scan.processes).map(({ process, depth }) => [
    process.pid,
    process.ppid,
    userOf(scan, process),
    process.state,
    process.threads,
    percent(lifetimeShare(scan, process), 1, 1),
    duration(process.cpuTicks / ticksPerSecond),
    process.kernelThread ? '-' : bytes(process.rssBytes),
    process.swapBytes === 0 ? '-' : bytes(process.swapBytes),
    startOf(scan, process),
    shortCgroup(process.cgroup),
    '  '.repeat(Math.min(depth, 40)) + commandOf(process, 400),
  ])
  const titles = [
    '>PID',
    '>PPID',
    'USER',
    'S',
    '>THR',
    '>%CPU',
    '>CPU TIME',
    '>RSS',
    '>SWAP',
    'START',
    'CGROUP',
    'COMMAND',
  ]
  return `${heading(scan)}%CPU is the mean since the process started; 100% is one CPU. [name]: kernel thread or zombie.\n\n${table(titles, rows)}`
}

/** A JSON array with one process a line, attributes named as OpenTelemetry names them. */
export const processesJson = (scan: Scan): string =>
  `[\n${scan.processes.map((process) => JSON.stringify(jsonOf(scan, process))).join(',\n')}\n]\n`

/** How many there are, when this was read, and what is missing. */
export function heading(scan: Scan): string {
  const states = new Map<string, number>()
  for (const { state } of scan.processes) states.set(state, (states.get(state) ?? 0) + 1)
  const counts = [...states]
    .sort((a, b) => b[1] - a[1])
    .map(([state, count]) => `${count} ${stateNames[state] ?? state}`)
  const threads = scan.processes.reduce((sum, process) => sum + process.threads, 0)
  const cut = scan.leftOut > 0 ? `CUT: ${scan.leftOut} more processes were not looked at.\n` : ''
  return `${scan.processes.length} processes (${counts.join(', ')}), ${threads} threads, read at ${utc(scan.takenAtMs)}\n${cut}`
}

/** The command line, else the name in brackets as ps writes it. */
export const commandOf = (process: Process, most: number): string =>
  shortened(oneLine(process.args.length > 0 ? process.args.join(' ') : `[${process.comm}]`), most)

export const userOf = (scan: Scan, process: Process): string => scan.users.get(process.uid) ?? String(process.uid)

/** CPU time over life time: 1 is one CPU, all the time. */
export const lifetimeShare = (scan: Scan, process: Process): number =>
  process.cpuTicks / ticksPerSecond / Math.max(0.01, scan.uptimeSeconds - process.startTicks / ticksPerSecond)

/** The last two parts of the path, with the ids of containers cut to the twelve digits people know. */
export const shortCgroup = (path: string): string =>
  path === ''
    ? '-'
    : `/${path.split('/').filter(Boolean).slice(-2).join('/')}`.replaceAll(/[0-9a-f]{64}/g, (id) => id.slice(0, 12))

const stateNames: Record<string, string> = {
  R: 'running',
  S: 'sleeping',
  D: 'in uninterruptible sleep',
  Z: 'zombie',
  T: 'stopped',
  t: 'traced',
  I: 'idle',
  X: 'dead',
}

const startOf = (scan: Scan, process: Process): string =>
  utc(scan.bootTimeMs + (process.startTicks / ticksPerSecond) * 1000)

function inTreeOrder(processes: readonly Process[]): { process: Process; depth: number }[] {
  const pids = new Set(processes.map((process) => process.pid))
  const children = Map.groupBy(processes, (process) => (pids.has(process.ppid) ? process.ppid : 0))
  const ordered: { process: Process; depth: number }[] = []
  // Parents may have changed between two reads: what is in a circle has no way from a root, and is listed last.
  const pending = (children.get(0) ?? []).map((process) => ({ process, depth: 0 })).toReversed()
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    ordered.push(entry)
    const { depth } = entry
    const below = children.get(entry.process.pid) ?? []
    pending.push(...below.map((process) => ({ process, depth: depth + 1 })).toReversed())
  }
  const listed = new Set(ordered.map(({ process }) => process.pid))
  const rest = processes.filter((process) => !listed.has(process.pid))
  return [...ordered, ...rest.map((process) => ({ process, depth: 0 }))]
}

const jsonOf = (scan: Scan, process: Process) => ({
  'process.pid': process.pid,
  'process.parent_pid': process.ppid,
  'process.owner': userOf(scan, process),
  'process.user.id': process.uid,
  'process.command_args': process.args,
  'process.creation.time': startOf(scan, process),
  'process.linux.cgroup': process.cgroup,
  comm: process.comm,
  state: process.state,
  kernelThread: process.kernelThread,
  threads: process.threads,
  cpuTimeMs: (process.cpuTicks * 1000) / ticksPerSecond,
  rssBytes: process.rssBytes,
  swapBytes: process.swapBytes,
})
