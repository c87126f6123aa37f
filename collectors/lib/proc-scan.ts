/** Looks at /proc through the kit, bounded: most processes at once 16, at most 20 000 of them. */
import type { Kit } from '../../src/collector.ts'
import {
  parseBootTimeMs,
  parseCgroup,
  parseCmdline,
  parseIo,
  parseOpenFilesLimit,
  parsePasswd,
  parseStat,
  parseStatus,
  ticksPerSecond,
} from './proc-parse.ts'
import type { Stat } from './proc-parse.ts'
import { inParallel } from './proc-text.ts'

/** Reads at once: enough to hide latency, few enough to leave room in the engine's thread pool. */
const concurrency = 16
/** The kernel's default pid_max on small machines is 32 768; beyond this many rows nobody reads a list. */
export const mostProcesses = 20_000
/** A command line may take 2 MiB; its first 4 KiB name the program. */
const commandLineBytes = 4096

/** With fewer open files no process is near a limit, and most have fewer: their limits are not read. */
export const fewOpenFiles = 20

export interface Process extends Stat {
  readonly pid: number
  readonly uid: number
  readonly rssBytes: number
  readonly swapBytes: number
  readonly args: readonly string[]
  readonly cgroup: string
}

export interface Scan {
  readonly processes: readonly Process[]
  /** Processes beyond the limit, not looked at. */
  readonly leftOut: number
  readonly takenAtMs: number
  readonly bootTimeMs: number
  readonly uptimeSeconds: number
  readonly memoryBytes: number
  readonly cpus: number
  readonly users: ReadonlyMap<number, string>
}

/** What is asked only for lists of top consumers; undefined where it may not be read. */
export interface Usage {
  readonly pid: number
  readonly openFiles: number | undefined
  readonly openFilesLimit: number | undefined
  readonly io: { readonly readBytes: number; readonly writeBytes: number } | undefined
}

/** Every process, by pid. One that ends while it is read is left out. */
export async function scanProcesses(kit: Kit): Promise<Scan> {
  const pids = await listPids(kit)
  const takenAtMs = Date.now()
  const [stat = '', uptime = '', meminfo = '', passwd = ''] = await Promise.all(
    ['/proc/stat', '/proc/uptime', '/proc/meminfo', '/etc/passwd'].map((path) => kit.read(path)),
  )
  const found = await inParallel(pids.slice(0, mostProcesses), concurrency, kit.signal, (pid) => look(kit, pid))
  return {
    processes: found.filter((process) => process !== undefined),
    leftOut: Math.max(0, pids.length - mostProcesses),
    takenAtMs,
    bootTimeMs: parseBootTimeMs(stat),
    uptimeSeconds: Number(uptime.split(' ')[0]),
    memoryBytes: Number(/^MemTotal:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024,
    cpus: stat.match(/^cpu\d+ /gm)?.length ?? 1,
    users: parsePasswd(passwd),
  }
}

/** Pids, ascending. */
export const listPids = async (kit: Kit): Promise<number[]> =>
  (await kit.list('/proc'))
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)

/** Open files, their limit and I/O of each process that is no kernel thread. */
export async function scanUsage(kit: Kit, processes: readonly Process[]): Promise<Usage[]> {
  const users = processes.filter((process) => !process.kernelThread)
  return inParallel(users, concurrency, kit.signal, async ({ pid }) => {
    const [io, files] = await Promise.all([kit.read(`/proc/${pid}/io`), kit.list(`/proc/${pid}/fd`)])
    const limits = files.length >= fewOpenFiles ? await kit.read(`/proc/${pid}/limits`) : undefined
    return {
      pid,
      // Hardly a process has none: an empty list means that it may not be read.
      openFiles: files.length > 0 ? files.length : undefined,
      openFilesLimit: parseOpenFilesLimit(limits ?? ''),
      io: io === undefined ? undefined : parseIo(io),
    }
  })
}

/** CPU used since the scan, in shares of one CPU by pid; pids that were reused are left out. */
export async function scanCpuSince(kit: Kit, scan: Scan): Promise<{ seconds: number; shares: Map<number, number> }> {
  const seconds = Math.max(0.01, (Date.now() - scan.takenAtMs) / 1000)
  const shares = new Map<number, number>()
  await inParallel(scan.processes, concurrency, kit.signal, async (before) => {
    const now = parseStat((await kit.read(`/proc/${before.pid}/stat`)) ?? '')
    if (now?.startTicks !== before.startTicks) return
    shares.set(before.pid, (now.cpuTicks - before.cpuTicks) / ticksPerSecond / seconds)
  })
  return { seconds, shares }
}

export interface Blocked {
  readonly process: Process
  readonly tid: number
  readonly comm: string
  readonly state: string
  readonly wchan: string | undefined
  readonly syscall: string | undefined
  readonly stack: string | undefined
}

/** Threads of any process that stand in uninterruptible sleep, and zombies; the first 200 with what they wait for. */
export async function scanBlocked(kit: Kit, processes: readonly Process[]): Promise<Blocked[]> {
  const threads = await inParallel(processes, concurrency, kit.signal, async (process) => {
    if (process.threads <= 1) return isStuck(process.state) ? [{ ...process, process, tid: process.pid }] : []
    return stuckThreads(kit, process)
  })
  return inParallel(threads.flat().slice(0, 200), concurrency, kit.signal, async ({ process, tid, comm, state }) => {
    const at = (name: string) => kit.read(`/proc/${process.pid}/task/${tid}/${name}`)
    const [wchan, syscall, stack] = await Promise.all([at('wchan'), at('syscall'), at('stack')])
    return { process, tid, comm, state, wchan, syscall, stack }
  })
}

async function look(kit: Kit, pid: number): Promise<Process | undefined> {
  const stat = parseStat((await kit.read(`/proc/${pid}/stat`)) ?? '')
  if (!stat) return undefined
  if (stat.kernelThread) return { ...stat, pid, uid: 0, rssBytes: 0, swapBytes: 0, args: [], cgroup: '' }
  const [status = '', cmdline = '', cgroup = ''] = await Promise.all([
    kit.read(`/proc/${pid}/status`),
    kit.read(`/proc/${pid}/cmdline`, commandLineBytes),
    kit.read(`/proc/${pid}/cgroup`),
  ])
  return { ...stat, pid, ...parseStatus(status), args: parseCmdline(cmdline), cgroup: parseCgroup(cgroup) }
}

/** A process of very many threads gets its first 2 000 looked at. */
async function stuckThreads(kit: Kit, process: Process) {
  const tids = (await kit.list(`/proc/${process.pid}/task`)).slice(0, 2000).map(Number)
  const stuck = []
  for (const tid of tids) {
    const stat = parseStat((await kit.read(`/proc/${process.pid}/task/${tid}/stat`)) ?? '')
    if (stat && isStuck(stat.state)) stuck.push({ ...stat, process, tid })
  }
  return stuck
}

const isStuck = (state: string): boolean => state === 'D' || state === 'Z'
