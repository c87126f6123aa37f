/** Containers whose logs can be read: those that engines list, and those that are kept. */
import { setTimeout as delay } from 'node:timers/promises'
import { nameOf, type ListedContainer } from '../../../collectors/lib/container-list.ts'
import type { FoundEngine } from '../../sources/engines.ts'
import { containerSource } from '../../sources/logs/container.ts'
import { eitherContainerSource } from '../../sources/logs/either-container.ts'
import type { LogContext, LogSource } from '../../sources/logs/line.ts'
import type { KeptContainer, KeptLogs } from './kept.ts'
import type { LogFilter } from './wish.ts'

/** A container that an engine lists now, or that is kept. */
export interface FoundContainer {
  readonly id: string
  readonly names: readonly string[]
  readonly running: boolean
  /** It is read from what is kept, for no engine lists it now. */
  readonly kept?: KeptContainer
  /** When it was made, and, where that is known, when it was removed. */
  readonly newestMs: number
  readonly source: () => Promise<LogSource | undefined>
}

export interface Listed {
  readonly engine: FoundEngine
  readonly container: ListedContainer
}

export function listedContainer(
  listed: Listed,
  keptLogs: KeptLogs,
  inJournal: (one: Listed) => Promise<boolean>,
): FoundContainer {
  const { Id: id, Names, State, Created } = listed.container
  const findKept = async (ctx: LogContext) => {
    const found = (await keptLogs.list(ctx).catch(() => undefined))?.get(id)
    return found && keptLogs.source(found)
  }
  return {
    id,
    names: (Names ?? []).map((name) => name.replace(/^\//, '')),
    running: State === 'running',
    newestMs: Created * 1000,
    // What is in the journal would come twice.
    source: async () =>
      (await inJournal(listed)) ? undefined : eitherContainerSource(containerSource(described(listed)), findKept),
  }
}

/** What is on its way from an engine to where it is kept when somebody asks right after the removal. */
const SETTLE_MS = 1000
const TRY_MS = 25

interface Present {
  /** Of the containers that engines list. */
  readonly ids: ReadonlySet<string>
  /** Labels of the engines that answered. */
  readonly answered: ReadonlySet<string>
  readonly filter: LogFilter
}

/** Those that no engine lists. @throws Error */
export async function listKept(
  keptLogs: KeptLogs,
  { ids, answered, filter }: Present,
  ctx: LogContext,
): Promise<readonly KeptContainer[]> {
  const begunMs = Date.now()
  const isOnItsWay = ({ engine, state, logComplete, removedMs = begunMs }: KeptContainer) =>
    answered.has(engine) && (state !== 'removed' || (!logComplete && begunMs - removedMs < SETTLE_MS))
  for (;;) {
    const kept = [...(await keptLogs.list(ctx)).values()].filter(({ id }) => !ids.has(id))
    const late = kept.some((one) => isWished({ id: one.id, names: [one.name] }, filter) && isOnItsWay(one))
    if (!late || Date.now() - begunMs > SETTLE_MS) return kept
    await delay(TRY_MS, undefined, { signal: ctx.signal })
  }
}

export function keptContainer(kept: KeptContainer, keptLogs: KeptLogs, inJournal: boolean): FoundContainer {
  const { id, name, removedMs, createdMs = 0, logDriver } = kept
  return {
    id,
    names: [name],
    running: false,
    kept,
    newestMs: removedMs ?? createdMs,
    source: async () => (inJournal && logDriver === 'journald' ? undefined : keptLogs.source(kept)),
  }
}

export function newestFirst(containers: readonly FoundContainer[]): FoundContainer[] {
  return containers.toSorted((a, b) => Number(b.running) - Number(a.running) || b.newestMs - a.newestMs)
}

type Named = Pick<FoundContainer, 'id' | 'names'>

export function isWished(container: Named, { containers }: LogFilter): boolean {
  return containers.length === 0 || containers.some((name) => isNamed(container, name))
}

export function isNamed({ id, names }: Named, name: string): boolean {
  return names.includes(name) || (/^[0-9a-f]{12,64}$/.test(name) && id.startsWith(name))
}

/** The first line need not be the oldest. */
const NEAR_MS = 2000

/** Of a log that is kept it is known where it begins and ends; where that is outside of what is asked for, it is not opened. */
export function isInTime({ kept }: FoundContainer, { sinceMs, untilMs }: LogFilter): boolean {
  const { first, last } = kept?.log ?? {}
  const beginsMs = first === undefined ? -Infinity : Date.parse(first) - NEAR_MS
  const endsMs = last === undefined ? Infinity : Date.parse(last) + NEAR_MS
  return (sinceMs === undefined || endsMs >= sinceMs) && (untilMs === undefined || beginsMs <= untilMs)
}

function described({ engine, container }: Listed) {
  const { Id: id, State } = container
  const running = State === 'running' || State === 'paused' || State === 'restarting'
  return { socket: engine.socket, id, name: nameOf(container), running }
}
