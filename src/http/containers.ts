/** GET /containers: what is kept of each container, also of those that are gone, and which engines are followed. */
import type { FastifyInstance } from 'fastify'
import { printable, single, UsageError, type Parameters } from '../collect/request.ts'
import type { ContainerState, HealthCheck, KeptContainer } from '../record/containers/container.ts'
import type { KeepingHealth } from '../record/keeping.ts'
import { timeText } from '../record/events/row.ts'
import { notRecording } from './store-refusals.ts'

/** What follows containers, as the route needs it. */
export interface ContainersPart {
  flush(): Promise<void>
  list(): Promise<readonly KeptContainer[]>
  health(): KeepingHealth
  /** Masks with what is known to be secret now; it may not have been when it was stored. */
  masked(text: string): Promise<string>
}

export interface ContainersDeps {
  /** Undefined where nothing is followed. */
  readonly containers?: ContainersPart | undefined
}

const JSON_TYPE = 'application/json; charset=utf-8'

export function containersRoutes(app: FastifyInstance, deps: ContainersDeps): void {
  app.get('/containers', { config: { scope: 'read' } }, async ({ query }, reply) => {
    const wish = parseWish(query as Parameters)
    const part = deps.containers
    if (!part) throw notRecording('off', 'this diagd follows no containers: the configuration says containers: none')
    await part.flush()
    const kept = wish.limit === 0 ? [] : (await listed(part)).filter((container) => fits(container, wish))
    const { state, engines = [] } = part.health()
    const containers = kept.toSorted(byAge).slice(0, wish.limit).map(shown)
    const answer = { state, engines, containers, ...(wish.limit === 0 ? {} : { total: kept.length }) }
    return reply.type(JSON_TYPE).send(await part.masked(JSON.stringify(answer)))
  })
}

async function listed(part: ContainersPart): Promise<readonly KeptContainer[]> {
  try {
    return await part.list()
  } catch (error) {
    throw notRecording('failed', `what is kept cannot be read: ${(error as Error).message}`)
  }
}

interface Wish {
  readonly state?: ContainerState | undefined
  readonly engine?: string | undefined
  readonly name?: string | undefined
  readonly limit: number
}

const PARAMETERS = ['state', 'engine', 'name', 'limit']
const STATES = ['created', 'running', 'paused', 'exited', 'removed'] as const satisfies readonly ContainerState[]
const DEFAULT_LIMIT = 100
const MOST = 10_000
/** Of an id, as engines show it. */
const ID_PREFIX = /^[0-9a-f]{12,64}$/
const NAME_CHARACTERS = 256

/** @throws UsageError */
function parseWish(parameters: Parameters): Wish {
  const unknown = Object.keys(parameters).find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${PARAMETERS.join(', ')}`)
  const state = single(parameters, 'state')
  const limit = single(parameters, 'limit')
  return {
    state: state === undefined ? undefined : stateOf(state),
    engine: words(parameters, 'engine', 'the label of an engine (rootful, rootless-1000, podman, configured)'),
    name: words(parameters, 'name', 'the name of a container, or 12 to 64 digits of its id'),
    limit: limit === undefined ? DEFAULT_LIMIT : whole(limit),
  }
}

function stateOf(text: string): ContainerState {
  const found = STATES.find((one) => one === text)
  if (found) return found
  throw new UsageError('state', `"${printable(text)}" is none of those accepted: ${STATES.join(', ')}`)
}

function words(parameters: Parameters, name: string, accepts: string): string | undefined {
  const text = single(parameters, name)
  if (text === undefined || (text.length > 0 && text.length <= NAME_CHARACTERS)) return text
  throw new UsageError(name, `has ${text.length} characters; accepted: ${accepts}`)
}

function whole(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (number <= MOST) return number
  throw new UsageError('limit', `"${printable(text)}" does not fit; accepted: whole numbers from 0 to ${MOST}`)
}

function fits(container: KeptContainer, { state, engine, name }: Wish): boolean {
  if (state !== undefined && container.state !== state) return false
  if (engine !== undefined && container.engine !== engine) return false
  if (name === undefined || container.name === name) return true
  return ID_PREFIX.test(name) && container.id.startsWith(name)
}

/** The newest first. */
function byAge(a: KeptContainer, b: KeptContainer): number {
  return (b.createdMs ?? 0) - (a.createdMs ?? 0)
}

/** Times as the other routes have them; where its files are is diagd's own affair. */
function shown(kept: KeptContainer) {
  const { folder: _, health, use, ...container } = kept
  const told = Object.entries(container).map(([key, value]) =>
    key.endsWith('Ms') && typeof value === 'number' ? [key.slice(0, -2), timeText(value)] : [key, value],
  )
  return {
    ...(Object.fromEntries(told) as object),
    ...(health && { health: { ...health, log: health.log.map(shownCheck) } }),
    ...(use && { use: timed(use) }),
  }
}

function shownCheck({ startedMs, ...check }: HealthCheck) {
  return { started: timeText(startedMs), ...check }
}

function timed({ timeMs, ...use }: NonNullable<KeptContainer['use']>) {
  return { time: timeText(timeMs), ...use }
}
