/** Sends what is due, one at a time. Nothing that goes wrong here is anybody else's trouble. */
import { StoreError } from '../../record/store/error.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { AbortStale, StartSending, UploadEngine, UploadRecord } from '../upload.ts'
import { afterFailure, KILLED, SOON_MS } from './again.ts'
import type { Clock } from './clock.ts'
import { createCourtesies, NO_COURTESY, type Courtesy, type Places } from './courtesy.ts'
import { createLeftovers, type Leftovers } from './leftovers.ts'
import type { BundleFacts } from './prepare.ts'
import type { Telling } from './telling.ts'
import { tryOnce, type Trying } from './try-once.ts'

export interface RunnerOptions {
  readonly facts: BundleFacts
  readonly outbox: Outbox
  readonly engine: UploadEngine
  readonly startSending: StartSending
  readonly abortStale: AbortStale
  readonly places: Places
  readonly clock: Clock
  readonly random: () => number
  readonly telling: Telling
  readonly log: { error(fields: object, message: string): void }
}

export interface Runner {
  /** Something may be due. */
  poke(): void
  /** It goes before what runs, unless that is a shutdown's as well. */
  urgent(): void
  /** These are not tried any more: what they left at the target goes. */
  over(records: readonly UploadRecord[]): void
  /** The outbox can be written to. */
  ready(): void
  readonly running: boolean
  /** The bundle of a shutdown is on its way. */
  readonly isShutdown: boolean
  readonly pausedSinceMs: number | undefined
  /** The last try that failed, unless one arrived since. */
  readonly trouble: UploadRecord | undefined
  close(): Promise<void>
}

/** Of the bundle of a shutdown: systemd waits no longer than 15 s more. */
const SHUTDOWN_MS = 10_000
/** While the outbox cannot be written to. */
const REST_MS = 60_000

interface Running extends Trying {
  readonly done: Promise<void>
}

export function createRunner(options: RunnerOptions): Runner {
  const { outbox, places, clock, log } = options
  const courtesies = createCourtesies(places, clock)
  const closing = Promise.withResolvers<void>()
  const closed = new AbortController()
  const leftovers = createLeftovers({ ...options, closing: closed.signal })
  let isClosing = false
  let woken = Promise.withResolvers<void>()
  let courtesy: { readonly id: number; readonly of: Courtesy } | undefined
  let running: Running | undefined
  let trouble: UploadRecord | undefined
  let isResting = false
  let isBegun = false

  const poke = () => woken.resolve()
  /** Until then, or until something happens. */
  const sleep = async (untilMs: number) => {
    const due = Promise.withResolvers<void>()
    const cancel = untilMs === Infinity ? () => {} : clock.at(untilMs, due.resolve)
    await Promise.race([due.promise, woken.promise, closing.promise])
    cancel()
  }
  /** The outbox cannot be written to. */
  const rest = async () => {
    isResting = true
    woken = Promise.withResolvers()
    if (!isClosing) await sleep(clock.now() + REST_MS)
    isResting = false
  }
  const step = async () => {
    woken = Promise.withResolvers()
    if (!isBegun) await begin(options, leftovers)
    isBegun = true
    const { due, tally } = await outbox.next()
    if (leftovers.waiting && due?.trigger !== 'shutdown') return leftovers.remove()
    if (!due) return sleep(tally.nextTryMs ?? Infinity)
    if (courtesy?.id !== due.id) courtesy = { id: due.id, of: due.trigger === 'shutdown' ? NO_COURTESY : courtesies() }
    if (courtesy.of.holds) return courtesy.of.wait(Promise.race([woken.promise, closing.promise]))
    const done = Promise.withResolvers<void>()
    running = { record: due, abort: new AbortController(), done: done.promise }
    try {
      const failed = await tryOnce(running, courtesy.of, { ...options, isClosing: () => isClosing, rest })
      if (failed === 'interrupted') return
      trouble = failed
      if (failed?.state === 'gave-up') leftovers.add([failed])
    } finally {
      running = undefined
      done.resolve()
    }
  }
  const run = async () => {
    while (!isClosing) {
      try {
        await step()
      } catch (error) {
        if (!(error instanceof StoreError)) log.error({ err: error }, 'uploads: the runner failed')
        // A row may say that it runs, and does not.
        isBegun = false
        await rest()
      }
    }
  }
  const ended = run()
  return {
    poke,
    urgent() {
      if (running && running.record.trigger !== 'shutdown') running.abort.abort(new Error('a shutdown goes first'))
      leftovers.interrupt()
      poke()
    },
    over(records) {
      leftovers.add(records)
      poke()
    },
    ready() {
      if (isResting) poke()
    },
    get running() {
      return running !== undefined
    },
    get isShutdown() {
      return running?.record.trigger === 'shutdown'
    },
    get pausedSinceMs() {
      return courtesy?.of.sinceMs
    },
    get trouble() {
      return trouble
    },
    async close() {
      isClosing = true
      closing.resolve()
      closed.abort()
      if (running?.record.trigger === 'shutdown') await within(running.done, SHUTDOWN_MS)
      running?.abort.abort(new Error('diagd is stopped'))
      await ended
    },
  }
}

/** What was on its way when the process before died waits again, its try counted. What failed is tried soon: somebody may have changed something. */
async function begin({ outbox, clock, random, telling }: RunnerOptions, leftovers: Leftovers): Promise<void> {
  for (const record of await outbox.list({ limit: 1000, state: 'running' })) {
    const waiting = afterFailure(record, KILLED, { nowMs: clock.now(), random: random() })
    await outbox.keep(waiting)
    telling.failed(waiting)
    if (waiting.state === 'gave-up') leftovers.add([waiting])
  }
  await outbox.hurry(SOON_MS)
}

async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, milliseconds)
  await Promise.race([promise, late.promise])
  clearTimeout(timer)
}
