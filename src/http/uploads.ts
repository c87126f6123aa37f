/** POST /uploads asks for a bundle to be sent to where the configuration says; GET /uploads tells what became of it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Parameters } from '../collect/request.ts'
import type { BundleRequest } from '../collect/types.ts'
import type { Config } from '../config.ts'
import type { Hold } from '../upload/due/limits.ts'
import type { Triggers } from '../upload/due/triggers.ts'
import { shownUpload } from '../upload/shown.ts'
import type { UploadRecord, Uploads } from '../upload/upload.ts'
import type { Audit } from './audit.ts'
import { HttpError } from './errors.ts'
import { asking } from './store-refusals.ts'
import { parseAskedUpload, parseUploadFilter, parseUploadId, type AskedUpload } from './uploads-input.ts'

/** Uploads as the routes need them. */
export interface UploadsPart {
  readonly uploads: Pick<Uploads, 'request' | 'list' | 'get' | 'health'>
  readonly triggers: Pick<Triggers, 'ask'>
  /** Of every bundle that is sent. */
  readonly parameters: Readonly<Record<string, string>>
  /** Masks what is secret in the words of whoever asks. */
  readonly masked: (text: string) => Promise<string>
}

export interface UploadsDeps {
  /** Undefined where nothing is sent. */
  readonly uploads?: UploadsPart | undefined
  readonly config: Pick<Config, 'limits' | 'recipients'>
  readonly collectorIds: readonly string[]
  readonly bundleId: (nowMs: number, wish: BundleRequest) => string
}

/** Nobody waits for more than that; a target that does not answer is no reason to ask again and again. */
const MOST_WAITING = 100
const RETRY_AFTER_S = 60

export function uploadsRoutes(app: FastifyInstance, deps: UploadsDeps, audit: Audit): void {
  app.post('/uploads', { config: { scope: 'upload' } }, async (request, reply) => {
    const part = partOf(deps)
    // Fastify takes text/plain, too, which a page of another site can send.
    if (typeof request.body === 'string')
      throw new HttpError('unsupported-media-type', 'accepted: application/json, or nothing')
    const { limits: defaults, recipients } = deps.config
    const facts = { nowMs: Date.now(), collectorIds: deps.collectorIds, defaults, recipients, always: part.parameters }
    const asked = parseAskedUpload(request.body, facts)
    const record = asked.trigger === 'shutdown' ? await shutdown(asked, part) : await wanted(asked, request, part)
    audit.upload(request, { uploadId: record.id, trigger: record.trigger, what: record.parameters })
    return reply.code(202).header('location', `/uploads/${record.id}`).send(shownUpload(record))
  })
  app.get('/uploads', { config: { scope: 'read' } }, async (request, reply: FastifyReply) => {
    const filter = parseUploadFilter(request.query as Parameters)
    const found = await asking(() => partOf(deps).uploads.list(filter))
    return reply.send({ uploads: found.map(shownUpload) })
  })
  app.get('/uploads/:id', { config: { scope: 'read' } }, async (request, reply) => {
    const id = parseUploadId((request.params as { id: string }).id)
    const found = await asking(() => partOf(deps).uploads.get(id))
    if (!found) throw new HttpError('not-found', `there is no upload ${id}; GET /uploads lists those that are kept`)
    return reply.send(shownUpload(found))
  })
}

async function wanted({ reason, parameters }: AskedUpload, request: FastifyRequest, part: UploadsPart) {
  const { uploads, masked } = part
  const { waiting } = uploads.health()
  if (waiting >= MOST_WAITING) throw tooMany(`${waiting} bundles wait to be sent`)
  const who = request.identity?.name ?? 'somebody'
  const words = await masked(reason === undefined ? `asked for by ${who}` : `${reason} (${who})`)
  return asking(() => uploads.request({ trigger: 'request', reason: words, parameters, timeMs: Date.now() }))
}

const HELD: Readonly<Record<Hold, string>> = {
  debounce: 'one was sent shortly before',
  cap: 'as many were sent in 24 hours as the configuration allows',
  burst: 'one is about to be made',
  store: 'the outbox does not take it',
}

async function shutdown({ reason, parameters }: AskedUpload, { triggers, masked }: UploadsPart): Promise<UploadRecord> {
  const words = await masked(reason ?? 'the machine goes down')
  const due = { trigger: 'shutdown', reason: words, timeMs: Date.now() } as const
  const taken = await triggers.ask(due, parameters)
  if (taken === 'off') throw new HttpError('uploads-off', 'the trigger shutdown is switched off')
  if (taken === 'store') throw new HttpError('not-recording', HELD.store, { headers: { 'retry-after': '5' } })
  if (typeof taken === 'string') throw tooMany(HELD[taken])
  return taken
}

function tooMany(detail: string): HttpError {
  return new HttpError('too-many-uploads', detail, { headers: { 'retry-after': String(RETRY_AFTER_S) } })
}

function partOf({ uploads }: UploadsDeps): UploadsPart {
  if (uploads) return uploads
  throw new HttpError('uploads-off', 'uploads is none in the configuration')
}
