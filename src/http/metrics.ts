/** GET /metrics for Prometheus and who speaks its language; GET /metrics/export hands over the database. */
import type { FastifyInstance } from 'fastify'
import { printable, UsageError, type Parameters } from '../collect/request.ts'
import { exposition, EXPOSITION_TYPES, type Exposition } from '../record/metrics/exposition.ts'
import type { Family } from '../record/metrics/families.ts'
import type { Snapshot } from '../sources/sqlite-snapshot.ts'
import { sendExport, type ExportDeps } from './database-export.ts'
import { HttpError } from './errors.ts'
import { metricsRangeRoute, type RangeDeps } from './metrics-range.ts'
import { asking, notRecording } from './store-refusals.ts'

export interface MetricsDeps extends Pick<ExportDeps, 'node' | 'closing' | 'stallMs' | 'exporting'> {
  /** The machine as it is now, and diagd's own counters. Undefined where there is nothing to be had. */
  readonly families?: (() => Promise<readonly Family[]>) | undefined
  /** The database as it is now. Undefined where nothing is kept. */
  readonly measured?:
    | ({ snapshot(signal: AbortSignal): Promise<Snapshot> } & NonNullable<RangeDeps['measured']>)
    | undefined
}

export function metricsRoutes(app: FastifyInstance, deps: MetricsDeps): void {
  app.get('/metrics', { config: { scope: 'read' } }, async ({ headers, query }, reply) => {
    refuseParameters(query as Parameters)
    if (!deps.families) throw new HttpError('not-found', 'this diagd measures nothing')
    const format = formatOf(headers.accept)
    return reply.type(EXPOSITION_TYPES[format]).send(exposition(await deps.families(), format))
  })
  app.get('/metrics/export', { config: { scope: 'read' } }, async (request, reply) => {
    const open = (signal: AbortSignal) => asking(() => measuredOf(deps).snapshot(signal))
    await sendExport(request, reply, { ...deps, database: 'metrics', open })
    return reply
  })
  metricsRangeRoute(app, deps)
}

/** @throws UsageError */
function refuseParameters(parameters: Parameters): void {
  const [name] = Object.keys(parameters)
  if (name !== undefined) throw new UsageError(printable(name), 'is not a parameter; accepted: none')
}

/** Prometheus names OpenMetrics first where it wants it; a browser and curl do not. */
function formatOf(accept = ''): Exposition {
  return accept.includes('application/openmetrics-text') ? 'openmetrics' : 'text'
}

function measuredOf({ measured }: MetricsDeps): NonNullable<MetricsDeps['measured']> {
  if (measured) return measured
  throw notRecording('off', 'this diagd keeps no metrics')
}
