/** When processes are named: the one place that decides what is much. */
import type { Values } from './reader.ts'

const RESOURCES = ['cpu', 'memory', 'io'] as const
export type Resource = (typeof RESOURCES)[number]

/** Percent of the last 10 s in which something waited for it (PSI, `some avg10`): `metrics.pressure` of the configuration. */
export type Thresholds = Readonly<Record<Resource, number>>

/** Where the kernel does not tell of pressure: load for each CPU, and the part of the memory that is still available. */
const MUCH_LOAD = 2
const LITTLE_MEMORY = 0.05

/** What something waits for, so that it should be told who uses it. */
export function pressed(host: Values, thresholds: Thresholds): Resource[] {
  const told = RESOURCES.some((resource) => host[`pressure_${resource}_some_avg10_ratio`] !== undefined)
  if (!told) return RESOURCES.filter((resource) => (resource === 'memory' ? littleMemory(host) : muchLoad(host)))
  return RESOURCES.filter(
    (resource) => (host[`pressure_${resource}_some_avg10_ratio`] ?? 0) * 100 >= thresholds[resource],
  )
}

/** Those who wait for a disk are in the load too. */
function muchLoad({ load_1: load = 0, cpu_count: cpus = 1 }: Values): boolean {
  return load / cpus > MUCH_LOAD
}

function littleMemory({ memory_available_bytes: available, memory_total_bytes: total }: Values): boolean {
  return available !== undefined && total !== undefined && available / total < LITTLE_MEMORY
}
