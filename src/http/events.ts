/** POST /events keeps events, GET /events tells of them, GET /events/export hands over the database. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Parameters } from '../collect/request.ts'
import type { EventFilter, NewEvent, Snapshot, StoredEvent } from '../record/events/event.ts'
import { timeText } from '../record/events/row.ts'
import { sendExport, type ExportDeps } from './database-export.ts'
import { HttpError } from './errors.ts'
import { parseEvents, type Moment } from './events-input.ts'
import { parseEventFilter } from './events-query.ts'
import { asking, notRecording } from './store-refusals.ts'

/** The recorder as the routes need it. What it cannot do now it rejects with a StoreError. */
export interface EventsPart {
  readonly now: () => Moment
  /** Masks them, and resolves with their ids once nothing can lose them. */
  add(events: readonly NewEvent[]): Promise<readonly number[]>
  query(filter: EventFilter): Promise<readonly StoredEvent[]>
  snapshot(signal: AbortSignal): Promise<Snapshot>
  /** A line of the audit log, to be recorded; nobody waits for it. */
  readonly audit: (fields: object) => void
}

export interface EventsDeps {
  /** Undefined where nothing is recorded. */
  readonly events?: EventsPart | undefined
  readonly node: string
  readonly closing: AbortSignal
  readonly stallMs: number
  readonly exporting: ExportDeps['exporting']
}

/** A thousand events of a thousand bytes; a few of the largest. */
const BODY_BYTES = 1024 * 1024
const LINES = 'application/x-ndjson'

export function eventsRoutes(app: FastifyInstance, deps: EventsDeps): void {
  app.post('/events', { config: { scope: 'write-events' }, bodyLimit: BODY_BYTES }, async (request, reply) => {
    const ids = await add(request, deps)
    return reply.code(201).send({ ids })
  })
  app.get('/events', { config: { scope: 'read' } }, async (request, reply) => {
    const filter = parseEventFilter(request.query as Parameters, Date.now())
    const found = await asking(() => recorderOf(deps).query(filter))
    return sendEvents(request, reply, { found, next: nextPage(request.url, filter, found) })
  })
  app.get('/events/export', { config: { scope: 'read' } }, async (request, reply) => {
    const open = (signal: AbortSignal) => asking(() => recorderOf(deps).snapshot(signal))
    await sendExport(request, reply, { ...deps, database: 'events', open })
    return reply
  })
}

async function add({ body }: FastifyRequest, deps: EventsDeps): Promise<readonly number[]> {
  // Fastify takes text/plain, too, which a page of another site can send.
  if (typeof body === 'string') throw new HttpError('unsupported-media-type', 'accepted: application/json')
  const recorder = recorderOf(deps)
  const events = parseEvents(body, recorder.now())
  return asking(() => recorder.add(events))
}

function sendEvents(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { found, next }: { found: readonly StoredEvent[]; next: string | undefined },
): FastifyReply {
  const events = found.map(shownEvent)
  if (next !== undefined) void reply.header('link', `<${next}>; rel="next"`)
  if (headers.accept?.includes(LINES)) {
    const lines = events.map((event) => `${JSON.stringify(event)}\n`)
    return reply.type(LINES).send(lines.join(''))
  }
  return reply.send(next === undefined ? { events } : { events, next })
}

function shownEvent({ id, timeMs, ...rest }: StoredEvent) {
  return { id, time: timeText(timeMs), ...rest }
}

/** The same question about what is older; undefined when that was all. */
function nextPage(url: string, { limit }: EventFilter, found: readonly StoredEvent[]): string | undefined {
  if (found.length < limit) return undefined
  const query = new URLSearchParams(url.split('?')[1] ?? '')
  query.set('before', String(found.at(-1)!.id))
  return `/events?${query.toString()}`
}

function recorderOf({ events }: EventsDeps): EventsPart {
  if (events) return events
  throw notRecording('off', 'this diagd records no events')
}
