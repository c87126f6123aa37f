/** GET /boot: the timeline of one boot. */
import type { FastifyInstance } from 'fastify'
import { NoSuchBoot, TIMELINE_FORMATS, type TimelineFormat, type TimelineWish } from '../collect/boot-wish.ts'
import { printable, single, UsageError, type Parameters } from '../collect/request.ts'
import { SourceError } from '../sources/source.ts'
import { doorOf } from './door.ts'
import { HttpError } from './errors.ts'
import { parseBoot } from './events-query.ts'
import type { Places } from './places.ts'
import { tooMany } from './too-many.ts'

export interface BootDeps {
  /** Undefined where there is none to be had. */
  readonly bootTimeline?: ((wish: TimelineWish, signal: AbortSignal) => Promise<Buffer>) | undefined
  readonly places: Places
  readonly closing: AbortSignal
}

const TYPES: Record<TimelineFormat, string> = {
  json: 'application/json; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
}

export function bootRoutes(app: FastifyInstance, deps: BootDeps): void {
  app.get('/boot', { config: { scope: 'read' } }, async (request, reply) => {
    const wish = parseWish(request.query as Parameters)
    if (!deps.bootTimeline) throw new HttpError('not-found', 'this diagd makes no timelines')
    // It runs what a bundle runs, and so has one of its places.
    const giveBack = deps.places.take(doorOf(request))
    if (!giveBack) throw tooMany(deps.places)
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort(new Error('the client is gone')))
    try {
      const signal = AbortSignal.any([gone.signal, deps.closing])
      const timeline = await deps.bootTimeline(wish, signal)
      return await reply.type(TYPES[wish.format]).send(timeline)
    } catch (error) {
      throw asAnswer(error)
    } finally {
      giveBack()
    }
  })
}

/** @throws UsageError */
function parseWish(parameters: Parameters): TimelineWish {
  const unknown = Object.keys(parameters).find((name) => name !== 'boot' && name !== 'format')
  if (unknown !== undefined) throw new UsageError(printable(unknown), 'is not a parameter; accepted: boot, format')
  const format = single(parameters, 'format') ?? 'json'
  const known = TIMELINE_FORMATS.find((name) => name === format)
  if (!known)
    throw new UsageError('format', `"${printable(format)}" is not a format; accepted: ${TIMELINE_FORMATS.join(', ')}`)
  return { boot: parseBoot(single(parameters, 'boot') ?? '0', 'boot'), format: known }
}

function asAnswer(error: unknown): unknown {
  if (error instanceof NoSuchBoot) return new HttpError('not-found', error.message, { parameter: 'boot' })
  if (error instanceof SourceError) return new HttpError('bundle-failed', error.message)
  return error
}
