/** First starts of containers. No I/O. */
import type { BootClock } from './clock.ts'
import { timedEvents } from './events.ts'
import type { JournalLine } from './journal.ts'
import type { Part } from './parts.ts'
import type { ContainerStart, ReportedEvent } from './types.ts'

/** A container's process begins, says containerd; Docker and Kubernetes let it do that. */
const CONTAINER_START = /msg="(?:starting signal loop" .*?path=\S*?\/|connecting to shim )([0-9a-f]{64})/

/** The first start of each container in this boot: from the journal, from what was recorded, else the last one, which the engine knows. */
export function containerParts(
  { lines, events = [], containers = [], bootId }: ContainerSources,
  clock: BootClock,
  originMs: number,
): Part[] {
  const names = new Map(containers.map(({ id, name }) => [id, name]))
  const starts = [
    ...lines.flatMap(({ message, monotonicMs }) => {
      const id = CONTAINER_START.exec(message)?.[1]
      return id === undefined ? [] : [{ id, atMs: monotonicMs }]
    }),
    ...timedEvents(events, bootId, clock, originMs)
      .filter(({ event }) => event.type === 'container.started')
      .map(({ event, atMs }) => ({ id: event.subject, atMs })),
    ...containers.map(({ id, startedAt }) => ({ id, atMs: clock.toMonotonic(Date.parse(startedAt)) ?? -1 })),
  ]
  const first = new Map<string, number>()
  // Those of other boots are before the start of this one; of a container that never ran the year is 1.
  for (const { id, atMs } of starts) if (atMs >= 0) first.set(id, Math.min(atMs, first.get(id) ?? Infinity))
  return [...first].map(([id, atMs]) => ({
    name: names.get(id) ?? (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id),
    source: 'container',
    status: 'done',
    startedMs: atMs,
    endedMs: atMs,
    detail: 'started',
  }))
}

interface ContainerSources {
  readonly lines: readonly JournalLine[]
  readonly events?: readonly ReportedEvent[]
  readonly containers?: readonly ContainerStart[]
  readonly bootId: string
}
