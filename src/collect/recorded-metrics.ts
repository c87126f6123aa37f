/** What was measured on this machine, as a bundle gets at it: through the daemon, or beside one. */
import type { Measured, MeasuredQuery, RecordedMetrics } from '../collector.ts'
import { SourceError, type Opened } from '../sources/source.ts'
import { Description } from './artifact.ts'
import { inTime, setAsideEntries, type RecordedContext } from './recorded.ts'

export interface MetricsRecorded {
  /** Rejects when they cannot be asked for. */
  range(query: MeasuredQuery, ctx: RecordedContext): Promise<Measured>
  /** The database as one moment left it. Rejects with a SourceError. */
  open(ctx: RecordedContext): Promise<Opened>
  /** Paths of databases that were set aside, and of what belongs to them. */
  setAside(): Promise<readonly string[]>
  /** Where the database is, for people. */
  readonly origin: string
}

export const NOTHING_MEASURED: MetricsRecorded = {
  range: () => Promise.reject(nothing()),
  open: () => Promise.reject(nothing()),
  setAside: async () => [],
  origin: 'metrics.db',
}

function nothing(): SourceError {
  return new SourceError('skipped', 'nothing is measured: the configuration says metrics: none', { quiet: true })
}

export function metricsOf(
  recorded: MetricsRecorded,
  { sinceMs, untilMs }: RecordedMetrics['window'],
  ctx: RecordedContext,
): RecordedMetrics {
  const { open, origin } = recorded
  return {
    window: { sinceMs, untilMs },
    range: (query) => inTime(recorded.range(query, ctx), origin, ctx),
    database: () => new Description({ kind: 'stored', origin, open }, 'metrics.db'),
    setAside: () => setAsideEntries(recorded, ctx),
  }
}
