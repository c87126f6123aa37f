/** Which logs there are on this machine, of those that are wished for: also of containers that no engine has any more, as far as they are kept. */
import type { ListedContainer } from '../../../collectors/lib/container-list.ts'
import type { AbsentEngine } from '../../collector.ts'
import { findEngines, type FoundEngine } from '../../sources/engines.ts'
import { cloudInitSources } from '../../sources/logs/cloud-init.ts'
import { journalSource } from '../../sources/logs/journal.ts'
import type { LogContext, LogSource } from '../../sources/logs/line.ts'
import { SourceError } from '../../sources/source.ts'
import { getJson } from '../../sources/unix-http.ts'
import type { BundleDeps } from '../deps.ts'
import {
  isInTime,
  isNamed,
  isWished,
  keptContainer,
  listedContainer,
  listKept,
  newestFirst,
  type FoundContainer,
  type Listed,
} from './found-containers.ts'
import { createKeptLogs } from './kept.ts'
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
  /** Ids of those among them that an engine has. */
  readonly containers: readonly string[]
  readonly engines: readonly FoundEngine[]
  readonly problems: readonly LogProblem[]
}

/** @param which containers only; all without it. */
export type FindSources = (
  filter: LogFilter,
  ctx: LogContext,
  which?: (container: FoundContainer) => boolean,
) => Promise<FoundSources>

/** An engine that is not done with its list by then is left out. */
const LIST_MS = 3000
/** Each is a connection to the engine, and a place in the cursor: a URL has 8 KiB. */
const MOST_CONTAINERS = 200

export function createFindSources({ engines: configured, kept }: Pick<BundleDeps, 'engines' | 'kept'>): FindSources {
  const drivers = createDrivers()
  const keptLogs = createKeptLogs(kept)
  return async (filter, ctx, which = () => true) => {
    const { kinds } = filter
    const files = kinds.includes('cloud-init') ? cloudInitSources() : []
    const journal = kinds.includes('journal') ? [journalSource(filter)] : []
    if (!kinds.includes('container'))
      return { sources: [...files, ...journal], containers: [], engines: [], problems: [] }
    const { present, absent } = await findEngines(ctx, { configured })
    const problems: LogProblem[] = absent.map(absentEngine)
    const lists = await Promise.all(present.map((engine) => list(engine, ctx, problems)))
    const inJournal = async (one: Listed) => journal.length > 0 && (await drivers(one, ctx)) === 'journald'
    const listed = lists.flatMap((all) => all ?? []).map((one) => listedContainer(one, keptLogs, inJournal))
    // Looked for after the engines: one that was removed in between is there.
    const answered = new Set(lists.flatMap((all, index) => (all ? [present[index]!.label] : [])))
    const ids = new Set(listed.map(({ id }) => id))
    const keptOnes = await listKept(keptLogs, { ids, answered, filter }, ctx).catch((error: unknown) => {
      ctx.signal.throwIfAborted()
      problems.push(problemOf('containers', error))
      return []
    })
    const gone = keptOnes.map((one) => keptContainer(one, keptLogs, journal.length > 0))
    const wished = [...listed, ...gone].filter((container) => isWished(container, filter))
    const usable = wished.filter((container) => isInTime(container, filter) && which(container))
    const chosen = newestFirst(usable).slice(0, MOST_CONTAINERS)
    if (usable.length > chosen.length)
      problems.push({
        source: 'containers',
        message: `${usable.length - MOST_CONTAINERS} older ones beyond ${MOST_CONTAINERS} are left out`,
      })
    for (const name of filter.containers) {
      if (wished.some((container) => isNamed(container, name))) continue
      const message = 'no engine has a container of this name or id now, and none is kept'
      problems.push({ source: `container ${name}`, message })
    }
    const read = (await Promise.all(chosen.map(({ source }) => source()))).filter((source) => source !== undefined)
    const containers = chosen.filter((one) => !one.kept).map(({ id }) => id)
    return { sources: [...files, ...journal, ...read], containers, engines: present, problems }
  }
}

async function list(engine: FoundEngine, ctx: LogContext, problems: LogProblem[]): Promise<Listed[] | undefined> {
  try {
    const { socket } = engine
    const listed = await getJson({ socket, path: '/containers/json?all=1', timeoutMs: LIST_MS }, ctx)
    return (listed as ListedContainer[]).map((container) => ({ engine, container }))
  } catch (error) {
    ctx.signal.throwIfAborted()
    problems.push(problemOf(engine.socket, error))
    return undefined
  }
}

function absentEngine({ socket, reason }: AbsentEngine): LogProblem {
  return { source: socket, message: reason, ...(!/permission denied/.test(reason) && { absent: true }) }
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
