/** The logs of this machine, to be asked and followed: journal, cloud-init and containers as one. */
import type { BundleDeps } from '../deps.ts'
import { createFindSources } from './find-sources.ts'
import { followLogs, type FollowStep } from './follow.ts'
import { createLogMasks } from './mask.ts'
import { readPage, type LogPage, type PageDeps } from './page.ts'
import type { FollowWish, PageWish } from './wish.ts'

export interface LogReader {
  /** @throws LogsWithheld, UsageError (the cursor) */
  page(wish: PageWish, signal: AbortSignal): Promise<LogPage>
  /** Ends with the signal. @throws LogsWithheld, UsageError (the cursor) */
  follow(wish: FollowWish, signal: AbortSignal): AsyncGenerator<FollowStep, void, void>
}

/** An engine or a disk that says nothing for so long costs its own lines. */
const STALL_MS = 5000
/** What journalctl may take altogether, apart from the time that its reader takes. */
const COMMAND_MS = 60_000

export function createLogReader(deps: BundleDeps, { stallMs = STALL_MS } = {}): LogReader {
  const find = createFindSources(deps)
  const masks = createLogMasks(deps)
  const limits = { entryBytes: Infinity, headBytes: 0, commandMs: COMMAND_MS, stallMs }
  const here = (signal: AbortSignal): PageDeps => {
    const { root, path, host } = deps
    const ctx = {
      signal,
      root,
      path,
      timeZone: host.timeZone,
      dbus: { dead: false },
      intervals: async () => [],
      limits,
    }
    return { find, masks, ctx }
  }
  return {
    page: (wish, signal) => readPage(wish, here(signal)),
    follow: (wish, signal) => followLogs(wish, here(signal)),
  }
}
