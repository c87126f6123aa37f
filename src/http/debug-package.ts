/** GET /debug-package: the bundle, streamed. HEAD answers the headers and collects nothing. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fileType } from '../archive/codec.ts'
import { parseBundleRequest } from '../collect/request.ts'
import type { Parameters } from '../collect/request.ts'
import type { BundleRequest, Sink } from '../collect/types.ts'
import type { AppDeps } from './app.ts'
import type { Audit, BundleEnd } from './audit.ts'
import { doorOf } from './door.ts'
import { HttpError } from './errors.ts'
import { resetConnection, responseSink } from './stream.ts'
import { tooMany } from './too-many.ts'

export function debugPackageRoutes(app: FastifyInstance, deps: AppDeps, audit: Audit): void {
  const config = { scope: 'bundle' } as const
  app.head('/debug-package', { config }, (request, reply) => reply.headers(prepare(request, deps).headers).send())
  app.get('/debug-package', { config }, async (request, reply) => {
    const bundle = prepare(request, deps)
    const giveBack = deps.places.take(doorOf(request))
    if (!giveBack) throw tooMany(deps.places)
    try {
      await streamBundle(request, reply, bundle, { ...deps, audit })
    } finally {
      giveBack()
    }
    return reply
  })
}

interface Prepared {
  readonly id: string
  readonly wish: BundleRequest
  readonly headers: Record<string, string>
}

function prepare(request: FastifyRequest, deps: AppDeps): Prepared {
  // Over HTTP/1.0 a closed connection passes for the end: a cut bundle would pass for a whole one.
  if (request.raw.httpVersion === '1.0') {
    throw new HttpError('http-version', 'a bundle cannot be told from a cut one over HTTP/1.0; ask with HTTP/1.1')
  }
  const nowMs = Date.now()
  const { limits: defaults, recipients } = deps.config
  const facts = { nowMs, collectorIds: deps.collectorIds, defaults, recipients }
  const wish = parseBundleRequest(request.query as Parameters, facts)
  const id = deps.bundleId(nowMs, wish)
  const { contentType, extension } = fileType(wish.format, wish.recipients.length > 0)
  const headers = {
    'content-type': contentType,
    'content-disposition': `attachment; filename="${id}.${extension}"`,
    'x-diagd-bundle-id': id,
  }
  return { id, wish, headers }
}

async function streamBundle(
  request: FastifyRequest,
  reply: FastifyReply,
  bundle: Prepared,
  deps: AppDeps & { audit: Audit },
): Promise<void> {
  const { id, wish, headers } = bundle
  const response = reply.raw
  const controller = new AbortController()
  const stop = (reason: string) => controller.abort(new Error(reason))
  const onClose = () => stop('the client is gone')
  response.once('close', onClose)
  const signal = AbortSignal.any([controller.signal, deps.closing])
  const begin = () => {
    reply.hijack()
    response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
  }
  const onStall = () => {
    stop(`the client took no byte for ${deps.stallMs / 1000} s`)
    resetConnection(response.socket)
  }
  const sink = responseSink(response, { begin, onStall, stallMs: deps.stallMs })
  const counted = countBytes(sink)
  const startedMs = performance.now()
  const audit = (outcome: BundleEnd['outcome'], reason?: string) => {
    const durationMs = performance.now() - startedMs
    const end = { wish, bundleId: id, bytesOut: counted.bytes(), outcome, durationMs }
    deps.audit.bundle(request, reason === undefined ? end : { ...end, reason })
  }
  try {
    const { outcome } = await deps.collect({ request: wish, bundleId: id, sink: counted, signal })
    await sink.end()
    audit(outcome)
  } catch (error) {
    const reason = signal.aborted ? (signal.reason as Error).message : (error as Error).message
    audit('broken off', reason)
    if (!signal.aborted) request.log.error({ err: error, bundleId: id }, 'the engine failed')
    if (response.headersSent || response.destroyed) resetConnection(response.socket)
    else
      throw deps.closing.aborted
        ? new HttpError('shutting-down', 'ask again later')
        : new HttpError('bundle-failed', reason)
  } finally {
    response.off('close', onClose)
  }
}

function countBytes(sink: Sink): Sink & { bytes(): number } {
  let bytes = 0
  return {
    bytes: () => bytes,
    async write(chunk) {
      await sink.write(chunk)
      bytes += chunk.length
    },
  }
}
