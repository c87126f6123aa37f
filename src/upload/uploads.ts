/** Uploads as the daemon has them: there from the first moment, opened behind it, and off with a reason where they cannot be. */
import { deadlineIn } from '../deadline.ts'
import { StoreError } from '../record/store/error.ts'
import type { OpenUploads, Times } from './open.ts'
import { WALL_CLOCK } from './runner/clock.ts'
import {
  FAILURES,
  type UploadCounts,
  type UploadRecord,
  type Uploads,
  type UploadsHealth,
  type UploadsOptions,
} from './upload.ts'
import { failedTimes, nextTryText } from './words.ts'

/** What runs gets so long to end: its child has 2 s to leave nothing behind. */
const RUNNING_MS = 3000
/** The bundle of a shutdown has 10 s, and then those 2. */
const SHUTDOWN_MS = 12_500
/** With the database. */
const CLOSE_MS = 13_000
/** One failure is no news; a third in a row is. */
const FEW_TRIES = 3

export function createUploads(
  options: UploadsOptions,
  { clock = WALL_CLOCK, random = Math.random }: Partial<Times> = {},
): Uploads {
  const opening = Promise.withResolvers<OpenUploads>()
  opening.promise.catch(() => {})
  let opened: OpenUploads | undefined
  let failure: string | undefined
  let isStarted = false

  const begin = async () => {
    try {
      const { openUploads } = await import('./open.ts')
      opened = await openUploads(options, { clock, random })
      opening.resolve(opened)
    } catch (error) {
      failure = (error as Error).message
      opening.reject(new StoreError('off', failure))
    }
  }
  return {
    start() {
      isStarted = true
      void begin()
    },
    request: async (wish) => (await opening.promise).request(wish),
    list: async (filter) => (await opening.promise).outbox.list(filter),
    get: async (id) => (await opening.promise).outbox.get(id),
    fired: async (trigger, sinceMs) => (await opening.promise).outbox.fired(trigger, sinceMs),
    settled: async (id, signal) => (await opening.promise).outbox.settled(id, signal),
    health() {
      if (opened) return healthOf(opened)
      const nothing = { waiting: 0, running: false }
      if (failure === undefined) return { state: 'starting', ...nothing, problems: [] }
      return { state: 'off', ...nothing, problems: [`nothing is uploaded: ${failure}`] }
    },
    counts: () => countsOf(opened),
    async close(mostMs = CLOSE_MS) {
      if (!isStarted) return
      const end = deadlineIn(mostMs)
      await end.wait(opening.promise.catch(() => undefined))
      if (!opened) return
      const { runner, schedule, outbox } = opened
      // Both at once: neither waits for the other, and a database that hangs takes nothing from a bundle of a shutdown.
      const ended = Promise.all([runner.close(), schedule?.close()])
      await end.wait(ended, runner.isShutdown ? SHUTDOWN_MS : RUNNING_MS)
      await end.wait(outbox.close())
    },
  }
}

function healthOf({ outbox, runner, schedule, problem }: OpenUploads): UploadsHealth {
  const store = outbox.health()
  const { waiting, nextTryMs, lastUploadedMs } = outbox.tally()
  const { running, pausedSinceMs, trouble } = runner
  return {
    state: store.state === 'off' ? 'off' : 'ready',
    waiting,
    running,
    ...(nextTryMs === null ? {} : { nextTryMs }),
    ...(pausedSinceMs === undefined ? {} : { pausedSinceMs }),
    ...(lastUploadedMs === null ? {} : { lastUploadedMs }),
    ...(schedule?.nextMs === undefined ? {} : { nextScheduledMs: schedule.nextMs }),
    problems: [
      ...(problem === undefined ? [] : [problem]),
      ...store.problems,
      ...(store.state === 'recording' ? [] : ['nothing is uploaded meanwhile']),
      ...(trouble ? troubleText(trouble) : []),
    ],
  }
}

function troubleText({ id, trigger, tries, state, lastError, nextTryMs }: UploadRecord): string[] {
  const { kind, message, permanent } = lastError!
  if (state === 'waiting' && !permanent && tries < FEW_TRIES) return []
  const next =
    state === 'waiting' ? nextTryText(new Date(nextTryMs!).toISOString(), lastError!) : 'it is not tried again'
  return [`upload ${id} (${trigger}) ${failedTimes(tries)} (${kind}): ${message}; ${next}`]
}

function countsOf(opened: OpenUploads | undefined): UploadCounts {
  const none = Object.fromEntries(FAILURES.map((kind) => [kind, 0])) as UploadCounts['failed']
  const nothing = { started: 0, uploaded: 0, failed: none, gaveUp: 0, dropped: 0, skipped: 0, sentBytes: 0 }
  if (!opened) return { ...nothing, waiting: 0 }
  const { waiting, lastUploadedMs } = opened.outbox.tally()
  return { ...opened.telling.counts(), waiting, lastUploadedMs: lastUploadedMs ?? undefined }
}
