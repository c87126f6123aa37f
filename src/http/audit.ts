/** Who got a bundle, and who was refused one: one line of the log each, whatever the level of the log. */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { BundleRequest } from '../collect/types.ts'
import { formatLimits } from '../config/limits.ts'
import type { HttpError } from './errors.ts'

export interface BundleEnd {
  readonly wish: BundleRequest
  readonly bundleId: string
  readonly bytesOut: number
  readonly outcome: 'whole' | 'partial' | 'broken off'
  /** Why it broke off. */
  readonly reason?: string
  readonly durationMs: number
}

/** Of a page of the logs, or a stream of them. */
interface LogsEnd {
  readonly lines: number
  /** Lines for which the reader was too slow. */
  readonly dropped?: number
  readonly outcome: 'whole' | 'ended' | 'broken off'
  readonly reason?: string
  readonly durationMs: number
}

interface UploadAsked {
  readonly uploadId: number
  readonly trigger: string
  readonly what: Readonly<Record<string, string>>
}

export interface Audit {
  /** Who asks every second does not fill the log with it: beyond 60 in a minute they are counted. */
  logs(request: FastifyRequest, end: LogsEnd): void
  bundle(request: FastifyRequest, end: BundleEnd): void
  /** Who asked for a bundle to be sent, and for what in it. */
  upload(request: FastifyRequest, asked: UploadAsked): void
  /** A refusal because of who asks, or of a bundle. */
  refused(request: FastifyRequest, error: HttpError): void
}

/** Knocking must not fill the disk: refusals beyond this in a minute are counted, and told with the next one. */
const REFUSALS_PER_MINUTE = 60

const LOGS_PER_MINUTE = 60

const OF_CREDENTIALS = new Set<HttpError['code']>([
  'credential-in-query',
  'unauthorized',
  'invalid-credential',
  'insufficient-scope',
  'too-many-tries',
  'keys-unreachable',
])
/** Told by the bundle itself, or nobody's refusal. */
const NO_REFUSALS = new Set<HttpError['code']>(['bundle-failed', 'internal', 'shutting-down'])

/** @param tell gets what the log gets, to be recorded. */
export function createAudit(parent: FastifyBaseLogger, tell: (fields: object) => void = () => {}): Audit {
  const logger = parent.child({}, { level: parent.level === 'silent' ? 'silent' : 'info' })
  const room = createRoom(REFUSALS_PER_MINUTE)
  const roomOfLogs = createRoom(LOGS_PER_MINUTE)
  const say = (fields: object) => {
    logger.info(fields, 'audit')
    tell(fields)
  }
  return {
    bundle(request, { wish, durationMs, ...end }) {
      say({ ...who(request), what: whatOf(wish), ...end, durationMs: Math.round(durationMs) })
    },
    logs(request, { durationMs, ...end }) {
      const notLogged = roomOfLogs()
      if (notLogged === undefined) return
      const path = request.routeOptions.url
      // What is looked for in them may itself be what nobody is to read.
      const { search, cursor: _, ...what } = request.query as Record<string, unknown>
      const asked = { ...what, ...(search === undefined ? {} : { search: '(not logged)' }) }
      const fields = { ...who(request), path, what: asked, ...end, durationMs: Math.round(durationMs) }
      logger.info(notLogged > 0 ? { ...fields, notLogged } : fields, 'audit')
    },
    upload(request, asked) {
      // What becomes of it is recorded by itself.
      logger.info({ ...who(request), path: request.routeOptions.url, ...asked }, 'audit')
    },
    refused(request, { code, message }) {
      if (NO_REFUSALS.has(code)) return
      if (!OF_CREDENTIALS.has(code) && request.routeOptions.config.scope !== 'bundle') return
      const notLogged = room()
      if (notLogged === undefined) return
      const { method } = request
      const path = request.is404 ? undefined : request.routeOptions.url
      const fields = { ...who(request), method, path, outcome: 'refused', code, reason: message.slice(0, 300) }
      say(notLogged > 0 ? { ...fields, notLogged } : fields)
    },
  }
}

function who({ identity, raw }: FastifyRequest) {
  return { credential: identity?.name, credentialKind: identity?.kind, address: raw.socket.remoteAddress }
}

function whatOf({ only, skip, sinceMs, untilMs, format, limits, recipients }: BundleRequest) {
  const [since, until] = [sinceMs, untilMs].map((timeMs) => new Date(timeMs).toISOString())
  return { only, skip, since, until, format, limits: formatLimits(limits), recipients }
}

/** Gives how many found no room before this one; undefined when there is none for it either. */
function createRoom(perMinute: number, now = () => performance.now()): () => number | undefined {
  let sinceMs = -Infinity
  let taken = 0
  let without = 0
  return () => {
    if (now() - sinceMs >= 60_000) {
      sinceMs = now()
      taken = 0
    }
    taken += 1
    if (taken > perMinute) {
      without += 1
      return undefined
    }
    const before = without
    without = 0
    return before
  }
}
