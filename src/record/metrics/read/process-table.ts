/** All processes, looked at once for each sample: /proc/PID/stat (man 5 proc_pid_stat). */
import type { Files } from './files.ts'

export interface Process {
  readonly pid: number
  /** In ticks since the boot: with the pid it tells a process from all others. */
  readonly startTicks: number
  readonly parent: number
  /** At most 15 bytes, one character each. */
  readonly name: string
  readonly state: string
  readonly cpuTicks: number
  readonly majorFaults: number
  readonly threads: number
  readonly residentPages: number
  /** The same process when it was looked at before; that one's own `before` is gone. */
  before: Process | undefined
}

export interface ProcessTable {
  /** Looks, and forgets all but the look before. */
  look(monotonicMs: number): void
  all(): Iterable<Process>
  /** From the look before to the last one, milliseconds; undefined after the first. */
  sinceMs(): number | undefined
  /** How many there are beyond those that were looked at. */
  left(): number
}

/** About 10 µs each: a host with more spends no more on it. */
const MOST_PROCESSES = 4000

export function processTable(files: Files): ProcessTable {
  let processes = new Map<number, Process>()
  let [lookedMs, sinceMs, left]: [number | undefined, number | undefined, number] = [undefined, undefined, 0]
  return {
    look(monotonicMs) {
      const pids = files.names('/proc').filter(isPid)
      const found = new Map<number, Process>()
      for (const pid of pids.slice(0, MOST_PROCESSES)) {
        const process = parse(files.line(`/proc/${pid}/stat`))
        if (process) found.set(process.pid, follow(process, processes.get(process.pid)))
      }
      processes = found
      left = Math.max(0, pids.length - MOST_PROCESSES)
      sinceMs = lookedMs === undefined ? undefined : monotonicMs - lookedMs
      lookedMs = monotonicMs
    },
    all: () => processes.values(),
    sinceMs: () => sinceMs,
    left: () => left,
  }
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0)
  return first >= 48 && first <= 57
}

function follow(process: Process, before: Process | undefined): Process {
  if (before?.startTicks === process.startTicks) {
    before.before = undefined
    process.before = before
  }
  return process
}

/** `1234 (name) S 1 …`; the name may contain anything. undefined when the process is gone. */
function parse(line: string | undefined): Process | undefined {
  const end = line?.lastIndexOf(')') ?? -1
  if (line === undefined || end === -1) return undefined
  const [state = '', ...numbers] = line.slice(end + 2).split(' ', 22)
  const field = (number: number) => Number(numbers[number - 4])
  return {
    pid: Number.parseInt(line, 10),
    name: line.slice(line.indexOf('(') + 1, end),
    state,
    parent: field(4),
    majorFaults: field(12),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    residentPages: field(24),
    before: undefined,
  }
}
