/** GET /logs: lines of the logs, a page at a time. GET /logs/stream: the same as they come (logs-stream.ts). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LogsWithheld } from '../collect/logs/withheld.ts'
import type { LogPage } from '../collect/logs/page.ts'
import type { LogReader } from '../collect/logs/reader.ts'
import { lineText, problemText } from '../collect/logs/text.ts'
import { parseFollowWish, parsePageWish, type PageWish } from '../collect/logs/wish.ts'
import type { Parameters } from '../collect/request.ts'
import type { Audit } from './audit.ts'
import { doorOf } from './door.ts'
import { HttpError } from './errors.ts'
import { sendStream } from './logs-stream.ts'
import { createPlaces, type Places } from './places.ts'
import { resetConnection, responseSink } from './stream.ts'

export interface LogsDeps {
  /** Undefined where there are none to be had. */
  readonly logs?: LogReader | undefined
  readonly closing: AbortSignal
  readonly stallMs: number
}

/** Each holds journalctl and the connections to engines while it reads, then its lines until they are taken. */
const PAGES_AT_ONCE = 4
/** Each holds them as long as it lasts. */
const STREAMS_AT_ONCE = 8
const RETRY_AFTER_S = 10

export function logsRoutes(app: FastifyInstance, deps: LogsDeps, audit: Audit): void {
  const pages = createPlaces(PAGES_AT_ONCE)
  const streams = createPlaces(STREAMS_AT_ONCE)
  app.get('/logs', { config: { scope: 'read' } }, async (request, reply) => {
    const wish = parsePageWish(request.query as Parameters, Date.now())
    await inPlace(
      request,
      pages,
      async (signal) => {
        const startedMs = performance.now()
        const page = await asking(() => readerOf(deps).page(wish, signal), deps)
        await sendPage(request, reply, { page, wish, stallMs: deps.stallMs })
        audit.logs(request, { lines: page.lines.length, outcome: 'whole', durationMs: performance.now() - startedMs })
      },
      deps.closing,
    )
    return reply
  })
  app.get('/logs/stream', { config: { scope: 'read' } }, async (request, reply) => {
    const wish = parseFollowWish(request.query as Parameters, Date.now())
    // Sent by a client that was cut off, with the same address as before.
    const last = request.headers['last-event-id']
    const from = typeof last === 'string' && last !== '' ? { cursor: last, lines: undefined } : {}
    await inPlace(
      request,
      streams,
      async (signal) => {
        const startedMs = performance.now()
        const steps = readerOf(deps).follow({ ...wish, ...from }, signal)
        const first = await asking(() => steps.next(), deps)
        const end = await sendStream(request, reply, { steps, first, signal, ...deps })
        audit.logs(request, { ...end, durationMs: performance.now() - startedMs })
      },
      deps.closing,
    )
    return reply
  })
}

/** With a place of its own, and a signal that ends what it started when the client is gone or diagd stops. */
async function inPlace(
  request: FastifyRequest,
  places: Places,
  work: (signal: AbortSignal) => Promise<void>,
  closing: AbortSignal,
): Promise<void> {
  const giveBack = places.take(doorOf(request))
  if (!giveBack) throw tooMany(places)
  const gone = new AbortController()
  const onClose = () => gone.abort(new Error('the client is gone'))
  request.raw.socket.once('close', onClose)
  try {
    await work(AbortSignal.any([gone.signal, closing]))
  } finally {
    request.raw.socket.off('close', onClose)
    giveBack()
  }
}

function tooMany({ running, limit }: Places): HttpError {
  const detail = `${running} are reading, the limit is ${limit} (one more through the unix socket); try again in ${RETRY_AFTER_S} s`
  return new HttpError('too-many-readers', detail, { headers: { 'retry-after': String(RETRY_AFTER_S) } })
}

function readerOf({ logs }: LogsDeps): LogReader {
  if (logs) return logs
  throw new HttpError('not-found', 'this diagd reads no logs')
}

async function asking<T>(ask: () => Promise<T>, { closing }: LogsDeps): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof LogsWithheld) throw new HttpError('logs-withheld', error.message)
    if (closing.aborted) throw new HttpError('shutting-down', 'ask again later')
    throw error
  }
}

const TYPES = {
  json: 'application/json; charset=utf-8',
  lines: 'application/x-ndjson',
  text: 'text/plain; charset=utf-8',
}
type Form = keyof typeof TYPES

interface Answer {
  readonly page: LogPage
  readonly wish: PageWish
  readonly stallMs: number
}

async function sendPage(request: FastifyRequest, reply: FastifyReply, { page, wish, stallMs }: Answer): Promise<void> {
  const form = formOf(request.headers.accept ?? '')
  const next = page.ended === 'end' || page.cursor === undefined ? undefined : nextPage(request.url, page.cursor)
  const body = Buffer.from(BODIES[form](page, wish, next))
  const headers = {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': TYPES[form],
    'content-length': String(body.length),
    ...(next === undefined ? {} : { link: `<${next}>; rel="next"` }),
  }
  const response = reply.raw
  const begin = () => {
    reply.hijack()
    response.writeHead(200, headers)
  }
  const sink = responseSink(response, { begin, stallMs, onStall: () => resetConnection(response.socket) })
  try {
    await sink.write(body)
    await sink.end()
  } catch {
    // Who went away, or stood still, has what he took.
    resetConnection(response.socket)
  }
}

function formOf(accept: string): Form {
  if (accept.includes('application/x-ndjson')) return 'lines'
  return accept.includes('text/plain') ? 'text' : 'json'
}

/** What is missing is said in each of them, at its end. */
const BODIES: Record<Form, (page: LogPage, wish: PageWish, next: string | undefined) => string> = {
  json: (page, _wish, next) => JSON.stringify({ ...page, ...(next === undefined ? {} : { next }) }),
  lines: ({ lines, problems }) =>
    [...lines, ...problems.map((problem) => ({ problem }))].map((one) => `${JSON.stringify(one)}\n`).join(''),
  /** To be read from top to bottom, whichever end it was taken from. */
  text: ({ lines, problems }, { order }) => {
    const ordered = order === 'newest' ? lines.toReversed() : lines
    const missing = problems.filter(({ absent }) => !absent || lines.length === 0)
    return [...ordered.map((line) => lineText(line)), ...missing.map(problemText)].join('')
  },
}

/** The same question about what comes behind it. */
function nextPage(url: string, cursor: string): string {
  const query = new URLSearchParams(url.split('?')[1] ?? '')
  query.set('cursor', cursor)
  return `/logs?${query.toString()}`
}
