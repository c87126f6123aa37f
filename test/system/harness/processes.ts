/** Processes by their id, and whether an id still means the same process. */
import { readFileSync, readdirSync } from 'node:fs'

export interface ProcessId {
  readonly pid: number
  /** Clock ticks since boot when it started: an id that is used again has another. */
  readonly startTicks: string
}

export function processId(pid: number = process.pid): ProcessId {
  return { pid, startTicks: startTicks(pid) }
}

export function isRunning(pid: number, ticks?: string): boolean {
  try {
    return ticks === undefined ? startTicks(pid) !== '' : startTicks(pid) === ticks
  } catch {
    return false
  }
}

/** Ids of all processes of which the command line has this argument. */
export function processesWith(argument: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => commandLine(pid).includes(argument))
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Field 22 of stat; the name in field 2 can have blanks and brackets. A zombie does not run any more. */
function startTicks(pid: number): string {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
  if (fields[0] === 'Z') throw new Error(`process ${pid} has ended`)
  return fields[19]!
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
