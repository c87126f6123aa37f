/** Lists of processes, worst first. No I/O. */
import { ticksPerSecond } from './proc-parse.ts'
import { fewOpenFiles } from './proc-scan.ts'
import type { Blocked, Process, Scan, Usage } from './proc-scan.ts'
import { bytes, duration, oneLine, percent, table } from './proc-text.ts'
import { commandOf, heading, lifetimeShare, shortCgroup, userOf } from './proc-tree.ts'

/** A screen's worth of each list; processes.json has them all. */
const rowsEach = 15

/** The greediest by CPU, memory, swap, I/O and threads. `cpu`: what was used between two reads. */
export function topText(
  scan: Scan,
  usage: readonly Usage[],
  cpu: { seconds: number; shares: ReadonlyMap<number, number> },
): string {
  const io = new Map(usage.flatMap(({ pid, io: counts }) => (counts ? [[pid, counts] as const] : [])))
  const unread = usage.length - io.size
  const span = `the ${cpu.seconds.toFixed(2)} s after the tree was read`
  const lists = [
    list(scan, `CPU now: used in ${span}; 100% is one of ${scan.cpus} CPUs`, ['>%CPU'], (p) => {
      const share = cpu.shares.get(p.pid) ?? 0
      return [share, percent(share, 1, 1)]
    }),
    list(scan, 'CPU time since each process started', ['>CPU TIME', '>MEAN'], (p) => [
      p.cpuTicks,
      duration(p.cpuTicks / ticksPerSecond),
      percent(lifetimeShare(scan, p), 1, 1),
    ]),
    list(scan, 'memory (resident; shared pages count for each)', ['>RSS', '>OF RAM'], (p) => [
      p.rssBytes,
      bytes(p.rssBytes),
      percent(p.rssBytes, scan.memoryBytes, 1),
    ]),
    list(scan, 'swap', ['>SWAP'], (p) => [p.swapBytes, bytes(p.swapBytes)]),
    list(scan, `block I/O since each process started${unreadNote(unread)}`, ['>READ', '>WRITTEN'], (p) => {
      const { readBytes, writeBytes } = io.get(p.pid) ?? { readBytes: 0, writeBytes: 0 }
      return [readBytes + writeBytes, bytes(readBytes), bytes(writeBytes)]
    }),
    list(scan, 'threads', ['>THREADS'], (p) => [p.threads > 1 ? p.threads : 0, String(p.threads)]),
  ]
  return `${heading(scan)}\n${lists.join('\n')}`
}

/** Open files against the limit of each process, nearest to its limit first, and against the system's own limits. */
export function openFilesText(
  scan: Scan,
  usage: readonly Usage[],
  system: { fileNr: string | undefined; pidMax: string | undefined; threadsMax: string | undefined },
): string {
  const processes = new Map(scan.processes.map((process) => [process.pid, process]))
  const readable = usage.flatMap((row) => (row.openFiles === undefined ? [] : [{ ...row, openFiles: row.openFiles }]))
  const share = (row: (typeof readable)[number]) => row.openFiles / (row.openFilesLimit ?? Infinity)
  const rows = readable
    .filter(({ openFiles }) => openFiles >= fewOpenFiles)
    .sort((a, b) => share(b) - share(a) || b.openFiles - a.openFiles)
    .map((row) => {
      const process = processes.get(row.pid)!
      const used = percent(row.openFiles, row.openFilesLimit ?? 0)
      return [used, row.openFiles, row.openFilesLimit ?? '?', row.pid, userOf(scan, process), commandOf(process, 200)]
    })
  const [open, , most] = (system.fileNr ?? '').trim().split(/\s+/)
  const threads = scan.processes.reduce((sum, process) => sum + process.threads, 0)
  return (
    `Whole system: ${open || '?'} open files of at most ${most ?? '?'}; ${threads} threads of at most ` +
    `${system.threadsMax?.trim() ?? '?'}, pids below ${system.pidMax?.trim() ?? '?'}.\n` +
    `Processes with at least ${fewOpenFiles} open files, nearest to their soft limit first${unreadNote(usage.length - readable.length)}:\n\n` +
    table(['>USED', '>OPEN', '>LIMIT', '>PID', 'USER', 'COMMAND'], rows)
  )
}

/** Threads that no signal reaches (state D), with where in the kernel they wait, and zombies with who should reap them. */
export function blockedText(scan: Scan, blocked: readonly Blocked[]): string {
  const processes = new Map(scan.processes.map((process) => [process.pid, process]))
  const waiting = blocked.filter(({ state }) => state === 'D')
  const zombies = blocked.filter(({ state }) => state === 'Z')
  const parents = zombies.map(({ process }) => {
    const parent = processes.get(process.ppid)
    return [process.pid, oneLine(process.comm), process.ppid, parent ? commandOf(parent, 200) : '?']
  })
  return [
    heading(scan),
    `In uninterruptible sleep (D), a moment's picture: ${waiting.length}\n`,
    ...waiting.map((entry) => waitingText(scan, entry)),
    `Zombies, ended and not reaped by their parent: ${zombies.length}\n`,
    ...(zombies.length > 0 ? [table(['>PID', 'NAME', '>PARENT', 'PARENT COMMAND'], parents)] : []),
  ].join('\n')
}

function waitingText(scan: Scan, { process, tid, comm, wchan, syscall, stack }: Blocked): string {
  const facts = [
    `pid ${process.pid} tid ${tid} (${oneLine(comm)}), user ${userOf(scan, process)}, cgroup ${shortCgroup(process.cgroup)}`,
    `  command  ${commandOf(process, 400)}`,
    `  wchan    ${wchan?.trim() || 'not readable (root only)'}`,
    `  syscall  ${syscall?.trim() || 'not readable (root only)'}`,
    `  stack    ${stack?.trim().replaceAll('\n', '\n           ') || 'not readable (root with CAP_SYS_ADMIN only)'}`,
  ]
  return `${facts.join('\n')}\n`
}

/** `measure` gives the number to sort by (0 keeps a process off the list) and the cells that show it. */
function list(
  scan: Scan,
  title: string,
  titles: string[],
  measure: (process: Process) => [number, ...string[]],
): string {
  const measured = scan.processes.map((process) => ({ process, measured: measure(process) }))
  const top = measured
    .filter(({ measured: [value] }) => value > 0)
    .sort((a, b) => b.measured[0] - a.measured[0])
    .slice(0, rowsEach)
  if (top.length === 0) return `By ${title}: none\n`
  const rows = top.map(({ process, measured: [, ...cells] }) =>
    cells.concat(String(process.pid), userOf(scan, process), shortCgroup(process.cgroup), commandOf(process, 200)),
  )
  return `By ${title}\n${table([...titles, '>PID', 'USER', 'CGROUP', 'COMMAND'], rows)}`
}

const unreadNote = (count: number): string => (count > 0 ? ` (not readable without root: ${count} processes)` : '')
