/** Looks at the machine, and keeps the look before to compare. Synchronous: for a thread in which nobody waits for it. */
import { difference, type Before } from './difference.ts'
import type { Reading, ReadingRow, Sample } from './metric.ts'
import type { ContainerName } from './read/containers.ts'
import type { Own } from './read/diagd.ts'
import { createFiles, type Files } from './read/files.ts'
import type { StatFs } from './read/mounts.ts'
import type { Thresholds } from './read/pressed.ts'
import { known, type Moment, type Reader, type Values } from './read/reader.ts'
import { allReaders } from './read/readers.ts'
import { numberIn } from './read/text.ts'

export interface SamplerOptions {
  /** Where /proc and /sys are found: '' on the machine itself. */
  readonly root?: string
  /** How far apart samples should be. */
  readonly intervalMs: number
  /** `metrics.pressure` of the configuration: when processes are named. */
  readonly pressure: Thresholds
  /** The last sample that is kept, of this boot or another. */
  readonly last?: Omit<Before, 'rows'> | undefined
  readonly containerName?: ContainerName
  readonly own?: Own
  readonly statfs?: StatFs
  readonly clock?: Clock
}

/** Milliseconds of each clock at one moment: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME. */
type Clock = () => Pick<Reading, 'timeMs' | 'monotonicMs' | 'boottimeMs'>

export interface Sampler {
  /** Takes some milliseconds, and never throws: what cannot be read is named in the row of the host. */
  sample(): { readonly reading: Reading; readonly sample: Sample }
  /** The last reading. */
  latest(): Reading | undefined
}

/** Of a machine that does not tell (no /proc/sys). */
const UNKNOWN_BOOT = '00000000-0000-0000-0000-000000000000'

export function createSampler(options: SamplerOptions): Sampler {
  const files = createFiles(options.root ?? '')
  const { containerName = () => undefined, own = () => ({}), statfs, intervalMs } = options
  const readers = allReaders(files, { thresholds: options.pressure, containerName, own, statfs })
  const clock = options.clock ?? clockOf(files)
  const bootId = bootIdOf(files)
  let before: Before | undefined = options.last
  let latest: Reading | undefined
  return {
    sample() {
      const reading = look(readers, bootId, clock)
      const sample = difference(before, reading, intervalMs)
      latest = reading
      before = reading
      return { reading, sample }
    },
    latest: () => latest,
  }
}

function look(readers: readonly Reader[], bootId: string, clock: Clock): Reading {
  const [cpu, began] = [process.threadCpuUsage(), performance.now()]
  const times = clock()
  const host: Record<string, number> = {
    time_seconds: times.timeMs / 1000,
    uptime_seconds: times.boottimeMs / 1000,
  }
  const rows: ReadingRow[] = []
  const problems: string[] = []
  for (const reader of readers) {
    const part = partOf(reader, { monotonicMs: times.monotonicMs, host })
    if (typeof part === 'string') problems.push(part)
    else {
      Object.assign(host, part.host)
      rows.push(...(part.rows ?? []))
    }
  }
  const { user, system } = process.threadCpuUsage(cpu)
  const costMs = { cpu: (user + system) / 1000, wall: performance.now() - began }
  const values = { ...host, ...costOf(costMs) }
  const problem = problems.length > 0 ? { problem: problems.join('; ') } : {}
  return { ...times, bootId, costMs, rows: [{ subject: 'host', labels: {}, values, ...problem }, ...rows] }
}

/** A reader that fails costs its own numbers. */
function partOf(reader: Reader, moment: Moment) {
  try {
    return reader.read(moment)
  } catch (error) {
    return `${reader.name}: ${error instanceof Error ? error.message : String(error)}`
  }
}

function costOf({ cpu, wall }: Reading['costMs']): Values {
  return known({ diagd_sample_cpu_seconds: cpu / 1000, diagd_sample_duration_seconds: wall / 1000 })
}

function clockOf(files: Files): Clock {
  return () => {
    const timeMs = Date.now()
    const monotonicMs = Number(process.hrtime.bigint() / 1000n) / 1000
    const uptime = uptimeSeconds(files)
    return { timeMs, monotonicMs, boottimeMs: uptime === undefined ? monotonicMs : Math.round(uptime * 1000) }
  }
}

/** Without it nobody can tell that the machine was suspended; samples go on. */
function uptimeSeconds(files: Files): number | undefined {
  try {
    return numberIn(files.line('/proc/uptime'))
  } catch {
    return undefined
  }
}

function bootIdOf(files: Files): string {
  try {
    return files.line('/proc/sys/kernel/random/boot_id')?.trim() ?? UNKNOWN_BOOT
  } catch {
    return UNKNOWN_BOOT
  }
}
