/** Processes as /proc has them. */
import { readFileSync, readdirSync } from 'node:fs'

const MIB = 1024
/** USER_HZ, the same on every Linux that Node runs on. */
const TICK_MS = 10

export interface Memory {
  readonly residentMiB: number
  /** What the machine has to find; the rest are pages of files, which the kernel can drop. */
  readonly anonymousMiB: number
}

/** @throws Error when it has ended. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / MIB
  return { residentMiB: field('VmRSS'), anonymousMiB: field('RssAnon') }
}

/** Of all its threads and of the children it has waited for, in steps of 10 ms. */
export function cpuMs(pid: number): number {
  // Fields 14 to 17; the name in field 2 can have blanks and brackets.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0)
}

/** Threads of JavaScript besides the main one. */
export function workerThreads(pid: number): number {
  const names = readdirSync(`/proc/${pid}/task`).map((id) =>
    readFileSync(`/proc/${pid}/task/${id}/comm`, 'latin1').trim(),
  )
  return names.filter((name) => name === 'WorkerThread').length
}
