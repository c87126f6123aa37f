/** What was recorded on this machine, as a bundle gets at it: through the daemon, or beside one. */
import type { RecordedEvents, RecordedFilter, RecordedEvent } from '../collector.ts'
import { dirname } from 'node:path'
import { openFile } from '../sources/file.ts'
import { patiently } from '../sources/patience.ts'
import { SourceError, type Opened, type SourceContext, type SourceLimits } from '../sources/source.ts'
import { baseName, Description } from './artifact.ts'

export type RecordedContext = SourceContext & { readonly limits: SourceLimits }

export interface Recorded {
  /** Newest first. Rejects when they cannot be asked for. */
  newest(filter: RecordedFilter, ctx: RecordedContext): Promise<readonly RecordedEvent[]>
  /** The database as one moment left it. Rejects with a SourceError. */
  open(ctx: RecordedContext): Promise<Opened>
  /** Paths of databases that were set aside, and of what belongs to them. */
  setAside(): Promise<readonly string[]>
  /** Where the database is, for people. */
  readonly origin: string
}

export const NOTHING_RECORDED: Recorded = {
  newest: () => Promise.reject(nothing()),
  open: () => Promise.reject(nothing()),
  setAside: async () => [],
  origin: 'events.db',
}

function nothing(): SourceError {
  return new SourceError('skipped', 'nothing is recorded: the configuration says events: none', { quiet: true })
}

export function eventsOf(recorded: Recorded, ctx: RecordedContext): RecordedEvents {
  const { open, origin } = recorded
  return {
    newest: (filter) => inTime(recorded.newest(filter, ctx), origin, ctx),
    database: () => new Description({ kind: 'stored', origin, open }, 'events.db'),
    setAside: () => setAsideEntries(recorded, ctx),
  }
}

export async function setAsideEntries(
  { setAside, origin }: Pick<Recorded, 'setAside' | 'origin'>,
  ctx: RecordedContext,
): Promise<Description[]> {
  const paths = await inTime(setAside(), dirname(origin), ctx)
  return paths.map((path) => setAsideEntry(path))
}

/** A store whose disk does not answer costs an entry, not the bundle. */
export function inTime<T>(work: Promise<T>, what: string, { limits, signal }: RecordedContext): Promise<T> {
  return patiently(work, what, { ms: limits.stallMs, signal })
}

/** Never a database of somebody else: its texts were not masked by diagd. */
function setAsideEntry(path: string): Description {
  const name = `set-aside/${baseName(path)}`
  if (!/\.(?:damaged|newer)-/.test(baseName(path)))
    return new Description({ kind: 'absent', outcome: 'withheld', reason: 'it is not a database of diagd' }, name)
  const open = (ctx: RecordedContext) => openFile({ path, within: [], windowed: false }, ctx)
  return new Description({ kind: 'stored', origin: path, open }, name)
}
