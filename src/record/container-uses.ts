/** What was measured last of each container, at hand when one ends: then its control group is gone. */
import type { ContainerUse } from './containers/container.ts'
import type { Reading, ReadingRow } from './metrics/metric.ts'

export interface ContainerUses extends Disposable {
  /** By its id; undefined when it was never measured: it was there for too short a time. */
  of(id: string): ContainerUse | undefined
}

export interface UsesOptions {
  /** What the newest sample found. */
  readonly measured: () => Promise<Pick<Reading, 'timeMs' | 'rows'> | undefined>
  /** Whether there are containers that may end. */
  readonly isNeeded: () => boolean
  readonly intervalMs: number
}

/** As many digits of an id are in the labels of metrics. */
const ID_DIGITS = 12
/** One that was not measured for so long ended without our seeing it. */
const KEPT_MS = 10 * 60_000

export function createContainerUses({ measured, isNeeded, intervalMs }: UsesOptions): ContainerUses {
  const uses = new Map<string, ContainerUse>()
  let asking = false
  const look = async () => {
    if (asking || !isNeeded()) return
    asking = true
    try {
      const { timeMs, rows } = (await measured()) ?? { timeMs: 0, rows: [] }
      for (const row of rows) if (row.subject === 'container') uses.set(row.labels['id']!, useOf(row, timeMs))
      for (const [id, use] of uses) if (timeMs - use.timeMs > KEPT_MS) uses.delete(id)
    } catch {
      // The thread that measures does not answer: its health says so.
    } finally {
      asking = false
    }
  }
  const timer = setInterval(() => void look(), intervalMs).unref()
  return {
    of: (id) => uses.get(id.slice(0, ID_DIGITS)),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

function useOf({ values }: ReadingRow, timeMs: number): ContainerUse {
  const told = {
    memoryBytes: values['memory_usage_bytes'],
    memoryPeakBytes: values['memory_peak_bytes'],
    memoryLimitBytes: values['memory_limit_bytes'],
    oomKills: values['oom_kills'],
    cpuSeconds: values['cpu_seconds'],
    processes: values['processes'],
    threads: values['threads'],
  }
  return { timeMs, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) }
}
