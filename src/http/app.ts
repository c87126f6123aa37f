/** The HTTP interface without any address: give it what it needs, try it with inject, or listen in listen.ts. */
import Fastify, { LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { BundleRequest, BundleResult, Sink } from '../collect/types.ts'
import type { Config } from '../config.ts'
import { createAudit } from './audit.ts'
import type { AuthDeps } from './auth/authenticate.ts'
import { guard } from './auth/guard.ts'
import { bootRoutes, type BootDeps } from './boot.ts'
import { containersRoutes, type ContainersDeps } from './containers.ts'
import { debugPackageRoutes } from './debug-package.ts'
import { HttpError, sendProblem, toHttpError } from './errors.ts'
import { eventsRoutes, type EventsDeps } from './events.ts'
import { healthRoutes } from './health.ts'
import { logsRoutes, type LogsDeps } from './logs.ts'
import { metricsRoutes, type MetricsDeps } from './metrics.ts'
import type { Places } from './places.ts'
import { systemInfoRoutes, type SystemInfoDeps } from './system-info.ts'
import { uploadsRoutes, type UploadsDeps } from './uploads.ts'

export interface AppDeps
  extends AuthDeps, Omit<EventsDeps & MetricsDeps, 'exporting'>, BootDeps, SystemInfoDeps, LogsDeps, ContainersDeps {
  readonly config: AuthDeps['config'] & Pick<Config, 'limits' | 'recipients'>
  readonly uploads?: UploadsDeps['uploads']
  readonly logger: FastifyBaseLogger
  readonly places: Places
  readonly health: () => unknown
  readonly collectorIds: readonly string[]
  readonly bundleId: (nowMs: number, wish: BundleRequest) => string
  readonly collect: (bundle: {
    request: BundleRequest
    bundleId: string
    sink: Sink
    signal: AbortSignal
  }) => Promise<BundleResult>
  /** Aborted when the daemon gives up the bundles that still run. */
  readonly closing: AbortSignal
  /** Counts what the audit log says. */
  readonly audited?: (fields: object) => void
  /** A client that takes no byte for so long loses its place. */
  readonly stallMs: number
}

/** Requests carry no more than a short JSON document. */
const BODY_BYTES = 64 * 1024

export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A path that cannot be decoded never gets as far as the hooks.
    frameworkErrors: (_error, _request, reply) => sendProblem(reply, undecodable()),
    bodyLimit: BODY_BYTES,
    // Without these, Fastify loads ajv for them at the start: 4 MiB that nobody uses, for no route has a JSON Schema.
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
    // The automatic one runs the GET handler, and that collects.
    exposeHeadRoutes: false,
  })
  const routes = rememberRoutes(app)
  const audit = createAudit(deps.logger, (fields) => {
    deps.audited?.(fields)
    deps.events?.audit(fields)
  })
  guard(app, deps)
  app.setErrorHandler((thrown, request, reply) => {
    const error = toHttpError(thrown)
    audit.refused(request, error)
    if (error !== thrown) request.log.debug({ err: thrown }, 'request refused')
    return sendProblem(reply, error)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(reply, nothingHere(request.method, request.url, routes)))
  healthRoutes(app, deps)
  debugPackageRoutes(app, deps, audit)
  const databases = { ...deps, exporting: { running: 0 } }
  eventsRoutes(app, databases)
  metricsRoutes(app, databases)
  bootRoutes(app, deps)
  containersRoutes(app, deps)
  systemInfoRoutes(app, deps)
  logsRoutes(app, deps, audit)
  uploadsRoutes(app, deps, audit)
  await app.ready()
  return app
}

function refuseSchema(): never {
  throw new Error('routes have no JSON Schemas here; what comes in is checked with zod')
}

function rememberRoutes(app: FastifyInstance): Map<string, string[]> {
  const routes = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => void routes.set(url, [...(routes.get(url) ?? []), ...[method].flat()]))
  return routes
}

/** What the framework says repeats the URL, with whatever is in it. */
function undecodable(): HttpError {
  return new HttpError('bad-request', 'the path of the URL cannot be decoded')
}

function nothingHere(method: string, url: string, routes: Map<string, string[]>): HttpError {
  const methods = routes.get(url.replace(/\?.*$/s, ''))
  if (!methods) {
    const known = [...routes].map(([path, allowed]) => `${allowed.join(', ')} ${path}`)
    return new HttpError('not-found', `the routes are: ${known.join('; ')}`)
  }
  const allow = methods.join(', ')
  return new HttpError('method-not-allowed', `${method} does not apply here; accepted: ${allow}`, {
    headers: { allow },
  })
}
