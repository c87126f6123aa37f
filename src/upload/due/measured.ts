/** Which of the numbers that are measured make a bundle due: pressure that stays, a file system that is nearly full. */
import type { TriggersConfig } from '../../config/upload-triggers.ts'
import type { ReadingRow } from '../../record/metrics/metric.ts'
import type { Newest } from '../../record/metrics/sampling.ts'
import type { Due } from './due.ts'

/** Of the host and of file systems. */
export type Measurement = Newest

const RESOURCES = ['memory', 'io'] as const
type Resource = (typeof RESOURCES)[number]
const WORDS: Readonly<Record<Resource, string>> = { memory: 'memory', io: 'I/O' }

/** It has to be better by so much before it counts as new. */
const BETTER = 0.75
const BETTER_PERCENT = 2

/** Each tells once that it is too much, and again when it was better in between. */
export function createMeasuredTriggers(config: TriggersConfig): (measurement: Measurement) => Due[] {
  const pressure = config.pressure && pressureTrigger(config.pressure)
  const disk = config.disk && diskTrigger(config.disk.abovePercent)
  let lastMs = -Infinity
  return (measurement) => {
    // The same sample again.
    if (measurement.monotonicMs === lastMs) return []
    lastMs = measurement.monotonicMs
    return [...(pressure?.(measurement) ?? []), ...(disk?.(measurement) ?? [])]
  }
}

/** Seconds in which nothing but waiting for it was done, since the boot. */
interface Waited extends Readonly<Record<Resource, number | undefined>> {
  readonly monotonicMs: number
}

type PressureConfig = NonNullable<TriggersConfig['pressure']>

function pressureTrigger({ forMs, memoryPercent, ioPercent }: PressureConfig) {
  const thresholds: Readonly<Record<Resource, number>> = { memory: memoryPercent, io: ioPercent }
  const told = new Set<Resource>()
  let kept: Waited[] = []
  return ({ timeMs, monotonicMs, rows }: Measurement): Due[] => {
    const { values = {} } = rows.find(({ subject }) => subject === 'host') ?? {}
    const next = { monotonicMs, memory: values.pressure_memory_full_seconds, io: values.pressure_io_full_seconds }
    kept = [...kept, next]
    // The newest that is as old as that; what is older is not needed.
    const from = kept.findLastIndex((one) => monotonicMs - one.monotonicMs >= forMs)
    kept = kept.slice(Math.max(from, 0))
    if (from === -1) return []
    return RESOURCES.flatMap((resource) => {
      const percent = percentOf(kept[0]!, next, resource)
      if (percent < thresholds[resource] * BETTER) told.delete(resource)
      if (percent < thresholds[resource] || told.has(resource)) return []
      told.add(resource)
      const seconds = Math.round((monotonicMs - kept[0]!.monotonicMs) / 1000)
      const reason = `in ${seconds} s everything waited for ${WORDS[resource]} ${Math.round(percent)} % of the time`
      return [{ trigger: 'pressure', reason, timeMs }]
    })
  }
}

function percentOf(before: Waited, now: Waited, resource: Resource): number {
  const [from, to] = [before[resource], now[resource]]
  if (from === undefined || to === undefined) return 0
  return ((to - from) * 100_000) / (now.monotonicMs - before.monotonicMs)
}

function diskTrigger(abovePercent: number) {
  const told = new Set<string>()
  return ({ timeMs, rows }: Measurement): Due[] =>
    rows
      .filter(({ subject, values }) => subject === 'mount' && values.readonly !== 1)
      .flatMap((row) => {
        const { mountpoint = '' } = row.labels
        const fullest = fullestOf(row)
        if (!fullest || fullest.percent < abovePercent - BETTER_PERCENT) told.delete(mountpoint)
        if (!fullest || fullest.percent < abovePercent || told.has(mountpoint)) return []
        told.add(mountpoint)
        const reason = `the file system ${mountpoint} has ${Math.floor(fullest.percent)} % of its ${fullest.what} in use`
        return [{ trigger: 'disk', reason, timeMs }]
      })
}

/** As df counts: of what users other than root can have. */
function fullestOf({ values }: ReadingRow): { readonly percent: number; readonly what: string } | undefined {
  const { used_bytes: used, available_bytes: available, inodes, inodes_free: free } = values
  const space = used === undefined || available === undefined ? 0 : (used * 100) / (used + available || 1)
  const files = inodes === undefined || free === undefined ? 0 : ((inodes - free) * 100) / (inodes || 1)
  if (space === 0 && files === 0) return undefined
  return space >= files ? { percent: space, what: 'space' } : { percent: files, what: 'inodes' }
}
