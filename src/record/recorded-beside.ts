/** Recorded events, for a bundle that is made beside the daemon. */
import { join } from 'node:path'
import type { Recorded, RecordedContext } from '../collect/recorded.ts'
import type { RecordedEvent, RecordedFilter } from '../collector.ts'
import type { Beside } from './beside.ts'
import { createReadOnly } from './events/read-only.ts'
import { listSetAside } from './store/files.ts'

export interface BesideOptions {
  readonly daemon: Beside
  readonly stateDir: string
  readonly bootId: string
}

export function recordedBeside({ daemon, stateDir, bootId }: BesideOptions): Recorded {
  const path = join(stateDir, 'events.db')
  const readOnly = createReadOnly(path, bootId)
  return {
    origin: path,
    newest: (filter, ctx) =>
      daemon.through(
        () => newestOf(daemon, filter, ctx),
        () => readOnly(filter, ctx),
      ),
    open: (ctx) => daemon.database('/events/export', path, ctx),
    setAside: () => listSetAside(path).catch(() => []),
  }
}

async function newestOf(daemon: Beside, filter: RecordedFilter, ctx: RecordedContext): Promise<RecordedEvent[]> {
  const { level, typePrefix, boot, limit } = filter
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ level, type: typePrefix, boot, limit }))
    if (value !== undefined) query.set(name, String(value))
  const { events } = (await daemon.json(`/events?${query.toString()}`, ctx)) as {
    events: (Omit<RecordedEvent, 'timeMs'> & { readonly time: string })[]
  }
  return events.map((event) => Object.assign(event, { timeMs: Date.parse(event.time) }))
}
