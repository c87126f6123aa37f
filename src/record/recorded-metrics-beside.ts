/** What was measured, for a bundle that is made beside the daemon. */
import { join } from 'node:path'
import type { RecordedContext } from '../collect/recorded.ts'
import type { MetricsRecorded } from '../collect/recorded-metrics.ts'
import type { Measured, MeasuredQuery } from '../collector.ts'
import type { Beside } from './beside.ts'
import { rangeReadOnly } from './metrics/read-only.ts'
import { listSetAside } from './store/files.ts'

export function metricsBeside({ daemon, stateDir }: { daemon: Beside; stateDir: string }): MetricsRecorded {
  const path = join(stateDir, 'metrics.db')
  return {
    origin: path,
    range: (query, ctx) =>
      daemon.through(
        () => rangeOf(daemon, query, ctx),
        () => rangeReadOnly(path, query, ctx),
      ),
    open: (ctx) => daemon.database('/metrics/export', path, ctx),
    setAside: () => listSetAside(path).catch(() => []),
  }
}

async function rangeOf(daemon: Beside, query: MeasuredQuery, ctx: RecordedContext): Promise<Measured> {
  const { sinceMs, untilMs, stepMs, columns, mostThings } = query
  const wanted = new URLSearchParams({
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    step: `${stepMs / 1000}s`,
    columns: Object.entries(columns)
      .flatMap(([subject, names]) => names.map((name) => `${subject}.${name}`))
      .join(','),
  })
  if (mostThings !== undefined) wanted.set('things', String(mostThings))
  return (await daemon.json(`/metrics/range?${wanted.toString()}`, ctx)) as Measured
}
