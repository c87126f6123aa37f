/** Which logs there are on this machine, of those that are wished for. */
import { nameOf, type ListedContainer } from '../../../collectors/lib/container-list.ts'
import type { AbsentEngine } from '../../collector.ts'
import { findEngines, type FoundEngine } from '../../sources/engines.ts'
import { cloudInitSources } from '../../sources/logs/cloud-init.ts'
import { containerSource } from '../../sources/logs/container.ts'
import { journalSource } from '../../sources/logs/journal.ts'
import type { LogContext, LogSource } from '../../sources/logs/line.ts'
import { SourceError } from '../../sources/source.ts'
import { getJson } from '../../sources/unix-http.ts'
import type { BundleDeps } from '../deps.ts'
import type { LogFilter } from './wish.ts'

/** A source of which something is missing, and why: it costs its own lines only. */
export interface LogProblem {
  readonly source: string
  readonly message: string
  /** There is no such log on this machine: nothing is wrong. */
  readonly absent?: true
}

export function problemOf(source: string, error: unknown): LogProblem {
  const { message } = error as Error
  return { source, message, ...(error instanceof SourceError && error.quiet && { absent: true }) }
}

interface FoundSources {
  readonly sources: readonly LogSource[]
  /** Ids of the containers among them. */
  readonly containers: readonly string[]
  readonly engines: readonly FoundEngine[]
  readonly problems: readonly LogProblem[]
}

/** @param which containers only; all without it. */
export type FindSources = (
  filter: LogFilter,
  ctx: LogContext,
  which?: (container: ListedContainer) => boolean,
) => Promise<FoundSources>

/** An engine that is not done with its list by then is left out. */
const LIST_MS = 3000
/** Each is a connection to the engine, and a place in the cursor: a URL has 8 KiB. */
const MOST_CONTAINERS = 200

export function createFindSources({ engines: configured }: Pick<BundleDeps, 'engines'>): FindSources {
  const drivers = createDrivers()
  return async (filter, ctx, which = () => true) => {
    const { kinds } = filter
    const files = kinds.includes('cloud-init') ? cloudInitSources() : []
    const journal = kinds.includes('journal') ? [journalSource(filter)] : []
    if (!kinds.includes('container'))
      return { sources: [...files, ...journal], containers: [], engines: [], problems: [] }
    const { present, absent } = await findEngines(ctx, { configured })
    const problems: LogProblem[] = absent.map(absentEngine)
    const lists = await Promise.all(present.map((engine) => list(engine, ctx, problems)))
    const wished = lists.flat().filter(({ container }) => isWished(container, filter))
    const usable = wished.filter(({ container }) => which(container))
    const chosen = newestFirst(usable).slice(0, MOST_CONTAINERS)
    if (usable.length > chosen.length)
      problems.push({
        source: 'containers',
        message: `${usable.length - MOST_CONTAINERS} older ones beyond ${MOST_CONTAINERS} are left out`,
      })
    for (const name of filter.containers) {
      if (wished.some(({ container }) => isNamed(container, name))) continue
      problems.push({ source: `container ${name}`, message: 'no engine has a container of this name or id now' })
    }
    const read = await Promise.all(
      chosen.map(async (one) =>
        // Its lines are in the journal, and would come twice.
        journal.length > 0 && (await drivers(one, ctx)) === 'journald' ? [] : [containerSource(described(one))],
      ),
    )
    const sources = [...files, ...journal, ...read.flat()]
    return { sources, containers: chosen.map(({ container }) => container.Id), engines: present, problems }
  }
}

interface Listed {
  readonly engine: FoundEngine
  readonly container: ListedContainer
}

async function list(engine: FoundEngine, ctx: LogContext, problems: LogProblem[]): Promise<Listed[]> {
  try {
    const { socket } = engine
    const listed = await getJson({ socket, path: '/containers/json?all=1', timeoutMs: LIST_MS }, ctx)
    return (listed as ListedContainer[]).map((container) => ({ engine, container }))
  } catch (error) {
    ctx.signal.throwIfAborted()
    problems.push(problemOf(engine.socket, error))
    return []
  }
}

function absentEngine({ socket, reason }: AbsentEngine): LogProblem {
  return { source: socket, message: reason, ...(!/permission denied/.test(reason) && { absent: true }) }
}

function newestFirst(listed: readonly Listed[]): Listed[] {
  const isRunning = ({ container }: Listed) => Number(container.State === 'running')
  return listed.toSorted((a, b) => isRunning(b) - isRunning(a) || b.container.Created - a.container.Created)
}

function isWished(container: ListedContainer, { containers }: LogFilter): boolean {
  return containers.length === 0 || containers.some((name) => isNamed(container, name))
}

function isNamed({ Id, Names }: ListedContainer, name: string): boolean {
  return (Names ?? []).includes(`/${name}`) || (/^[0-9a-f]{12,64}$/.test(name) && Id.startsWith(name))
}

function described({ engine, container }: Listed) {
  const { Id: id, State } = container
  const running = State === 'running' || State === 'paused' || State === 'restarting'
  return { socket: engine.socket, id, name: nameOf(container), running }
}

/** The log driver of a container, which does not change as long as it lives. */
function createDrivers(): (listed: Listed, ctx: LogContext) => Promise<string | undefined> {
  const known = new Map<string, string>()
  return async ({ engine: { socket }, container: { Id } }, ctx) => {
    const driver = known.get(Id)
    if (driver !== undefined) return driver
    try {
      const path = `/containers/${Id}/json`
      const inspected = (await getJson({ socket, path, timeoutMs: LIST_MS }, ctx)) as Inspected
      const found = inspected.HostConfig?.LogConfig?.Type ?? ''
      if (known.size >= MOST_REMEMBERED) known.clear()
      known.set(Id, found)
      return found
    } catch {
      // It is gone by now, or the engine hangs; to read its log will tell.
      ctx.signal.throwIfAborted()
      return undefined
    }
  }
}

const MOST_REMEMBERED = 2000

interface Inspected {
  readonly HostConfig?: { readonly LogConfig?: { readonly Type?: string } }
}
