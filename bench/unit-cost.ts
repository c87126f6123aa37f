/** What a unit of a test machine costs while it works, watched from the host. */
import { execFile } from 'node:child_process'
import type { Vm } from '../test/system/harness/vm.ts'
import { memoryOf, type Memory } from './processes.ts'
import { groupOf, rootOf } from './unit-group.ts'

const PROCESSES_MS = 25
const FILES_MS = 400

/** Where one who collects could put what it does not send right away. */
const WRITABLE = ['/tmp', '/var/tmp', '/var/lib/diagd', '/run/diagd']

export interface Cost {
  readonly seconds: number
  /** Of every process in the unit, also of those that were too short to be seen. */
  readonly cpuSeconds: number
  /** Sums over the processes that there were at once; what they share is counted for each. */
  readonly peakResidentMiB: number
  readonly peakAnonymousMiB: number
  /** The most that was on disk at once, besides what was there before: temporary files, and the archive as far as it goes there. */
  readonly peakDiskBytes: number
}

/** While `work` goes on, which puts its archive into `folder` of the machine, if anywhere. The unit has to be active. */
export async function costOf(vm: Vm, unit: string, folder: string, work: () => Promise<unknown>): Promise<Cost> {
  const group = await groupOf(vm, unit)
  const folders = [...WRITABLE, folder].map((path) => rootOf(vm) + path)
  const [cpuBefore, diskBefore] = [group.cpuSeconds(), await diskUsage(folders)]
  const [processes, files] = [watchMemory(group.pids), watchDisk(folders)]
  const began = performance.now()
  try {
    await work()
  } finally {
    processes.stop()
    files.stop()
  }
  const seconds = (performance.now() - began) / 1000
  return {
    seconds,
    cpuSeconds: group.cpuSeconds() - cpuBefore,
    peakResidentMiB: processes.peak.residentMiB,
    peakAnonymousMiB: processes.peak.anonymousMiB,
    peakDiskBytes: Math.max(files.peak(), await diskUsage(folders)) - diskBefore,
  }
}

function watchMemory(pids: () => number[]) {
  const peak = { residentMiB: 0, anonymousMiB: 0 }
  const timer = setInterval(() => {
    const memories = pids().flatMap((pid) => memoryUnlessGone(pid) ?? [])
    for (const name of ['residentMiB', 'anonymousMiB'] as const)
      peak[name] = Math.max(
        peak[name],
        memories.reduce((sum, memory) => sum + memory[name], 0),
      )
  }, PROCESSES_MS)
  return { peak, stop: () => clearInterval(timer) }
}

function watchDisk(folders: readonly string[]) {
  let [peak, busy] = [0, false]
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    void diskUsage(folders).then((bytes) => {
      peak = Math.max(peak, bytes)
      busy = false
    })
  }, FILES_MS)
  return { peak: () => peak, stop: () => clearInterval(timer) }
}

/** Of files that go while du looks, it says so and counts the others. */
function diskUsage(folders: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile('du', ['--summarize', '--total', '--block-size=1', ...folders], (_error, stdout) =>
      resolve(Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0)),
    )
  })
}

function memoryUnlessGone(pid: number): Memory | undefined {
  try {
    return memoryOf(pid)
  } catch {
    return undefined
  }
}
