/** What is kept of containers, as the logs read it: what the engines handed over by now is in it, and a disk that hangs holds up nobody. */
import { setTimeout as delay } from 'node:timers/promises'
import type { LogContext, LogSource } from '../../sources/logs/line.ts'
import { keptContainerSource } from '../../sources/logs/kept-container.ts'
import type { ContainersRecorded } from '../recorded-containers.ts'

export type KeptContainer = Awaited<ReturnType<ContainersRecorded['list']>>[number]

export interface KeptLogs {
  /** By id. Waits until what the engines handed over can be read. @throws Error */
  list(ctx: LogContext): Promise<ReadonlyMap<string, KeptContainer>>
  /** undefined where none is kept. */
  source(container: KeptContainer): LogSource | undefined
}

/** As long as for the list of an engine: else the logs go without. */
const LIST_MS = 3000
const NEVER = new AbortController().signal

export function createKeptLogs(kept: ContainersRecorded): KeptLogs {
  /** One that waits for the one that runs is for all who ask meanwhile. */
  let running: Promise<unknown> = Promise.resolve()
  let waiting: Promise<readonly KeptContainer[]> | undefined
  const list = () =>
    (waiting ??= running.then(async () => {
      const found = flushed(kept)
      running = found.catch(() => {})
      waiting = undefined
      return found
    }))
  return {
    async list({ signal }) {
      const listed = await within(list(), signal)
      if (!listed) throw new Error(`what is kept of containers was not there within ${LIST_MS} ms`)
      // One that two engines have is one; the first is the one that exists.
      return new Map(listed.toReversed().map((container) => [container.id, container]))
    },
    source(container) {
      const { id, name, state, log, removedMs, finishedMs, createdMs } = container
      const { flood, cap, withheld } = log.dropped
      if (log.lines + flood + cap + withheld === 0) return undefined
      return keptContainerSource({
        id,
        name,
        removed: state === 'removed',
        running: state === 'running' || state === 'paused',
        first: log.first,
        last: log.last,
        knownMs: removedMs ?? finishedMs ?? createdMs ?? 0,
        pieces: (span) => kept.log(container, span),
      })
    },
  }
}

async function flushed(kept: ContainersRecorded): Promise<readonly KeptContainer[]> {
  // An engine that hands over without an end, or hangs, does not hold up what is there.
  await within(kept.flush(), NEVER, LIST_MS / 2)
  return kept.list()
}

/** undefined when it takes longer. */
async function within<T>(result: Promise<T>, signal: AbortSignal, mostMs = LIST_MS): Promise<T | undefined> {
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  try {
    return await Promise.race([result, delay(mostMs, undefined, { signal: either })])
  } finally {
    ended.abort()
  }
}
