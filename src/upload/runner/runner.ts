/** Sends what is due, one at a time. Nothing that goes wrong here is anybody else's trouble. */
import { StoreError } from '../../record/store/error.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { StartSending, UploadEngine, UploadFailure, UploadRecord } from '../upload.ts'
import { afterFailure, KILLED } from './again.ts'
import { attempt, type Ended } from './attempt.ts'
import type { Clock } from './clock.ts'
import { createCourtesies, NO_COURTESY, type Courtesy, type Places } from './courtesy.ts'
import { prepare, type BundleFacts, type Prepared } from './prepare.ts'
import type { Telling } from './telling.ts'

export interface RunnerOptions {
  readonly facts: BundleFacts
  readonly outbox: Outbox
  readonly engine: UploadEngine
  readonly startSending: StartSending
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
  /** The outbox can be written to. */
  ready(): void
  readonly running: boolean
  /** The bundle of a shutdown is on its way. */
  readonly isShutdown: boolean
  readonly pausedSinceMs: number | undefined
  readonly nextTryMs: number | undefined
  /** The last try that failed, unless one arrived since. */
  readonly trouble: UploadRecord | undefined
  close(): Promise<void>
}

/** A try that takes longer is none that will end. */
const MOST_TRY_MS = 6 * 60 * 60 * 1000
/** What failed before is tried so soon after a start, or after something arrived: not at once, for diagd may be dying again and again. */
const SOON_MS = 30_000
/** Of the bundle of a shutdown: systemd waits no longer than 15 s more. */
const SHUTDOWN_MS = 10_000
/** While the outbox cannot be written to. */
const REST_MS = 60_000

interface Running {
  record: UploadRecord
  readonly abort: AbortController
  readonly done: Promise<void>
}

export function createRunner(options: RunnerOptions): Runner {
  const { outbox, places, clock, log } = options
  const courtesies = createCourtesies(places, clock)
  const closing = Promise.withResolvers<void>()
  let isClosing = false
  let woken = Promise.withResolvers<void>()
  let courtesy: { readonly id: number; readonly of: Courtesy } | undefined
  let running: Running | undefined
  let nextTryMs: number | undefined
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
    if (!isBegun) await begin(options)
    isBegun = true
    const { due, nextMs } = await outbox.next()
    nextTryMs = nextMs
    if (!due) return sleep(nextMs ?? Infinity)
    if (courtesy?.id !== due.id) courtesy = { id: due.id, of: due.trigger === 'shutdown' ? NO_COURTESY : courtesies() }
    if (courtesy.of.holds) return courtesy.of.wait(Promise.race([woken.promise, closing.promise]))
    const done = Promise.withResolvers<void>()
    running = { record: due, abort: new AbortController(), done: done.promise }
    try {
      const failed = await one(running, courtesy.of, { ...options, isClosing: () => isClosing, rest })
      if (failed !== 'interrupted') trouble = failed
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
    get nextTryMs() {
      return nextTryMs
    },
    get trouble() {
      return trouble
    },
    async close() {
      isClosing = true
      closing.resolve()
      if (running?.record.trigger === 'shutdown') await within(running.done, SHUTDOWN_MS)
      running?.abort.abort(new Error('diagd is stopped'))
      await ended
    },
  }
}

/** What was on its way when the process before died waits again, its try counted. What failed is tried soon: somebody may have changed something. */
async function begin({ outbox, clock, random, telling }: RunnerOptions): Promise<void> {
  for (const record of await outbox.list({ limit: 1000, state: 'running' })) {
    const waiting = afterFailure(record, KILLED, { nowMs: clock.now(), random: random() })
    await outbox.keep(waiting)
    telling.failed(waiting)
  }
  await outbox.hurry(SOON_MS)
}

interface OneOptions extends RunnerOptions {
  readonly isClosing: () => boolean
  readonly rest: () => Promise<void>
}

type Failed = UploadRecord | undefined | 'interrupted'

/** One try, from the row that says that it runs to the row that says how it ended. Gives the row where it failed. */
async function one(running: Running, courtesy: Courtesy, options: OneOptions): Promise<Failed> {
  const { facts, outbox, engine, clock, telling } = options
  const nowMs = clock.now()
  const { nextTryMs: _, ...rest } = running.record
  const began: UploadRecord = { ...rest, state: 'running', tries: rest.tries + 1, startedMs: nowMs }
  const prepared = tryTo(() => prepare(running.record, facts, engine, nowMs))
  running.record = 'failure' in prepared ? began : { ...began, bundleId: prepared.bundleId, key: prepared.job.key }
  await outbox.keep(running.record)
  telling.began()
  const keepId = async (multipartId: string) => {
    running.record = { ...running.record, multipartId }
    await outbox.keep(running.record)
  }
  const cancel = endLate(running.abort, clock)
  const deps = { ...options, courtesy, onMultipart: keepId, onBytes: telling.bytes }
  const ended = 'failure' in prepared ? prepared : await attempt(prepared, deps, running.abort.signal)
  cancel()
  const { reason } = running.abort.signal as { reason: unknown }
  return settle(running.record, reason instanceof TooLong ? late(ended, reason) : ended, options)
}

function tryTo(prepare: () => Prepared): Prepared | { readonly failure: UploadFailure } {
  try {
    return prepare()
  } catch (error) {
    return { failure: { kind: 'bundle-failed', message: (error as Error).message, permanent: true } }
  }
}

class TooLong extends Error {}

function endLate(abort: AbortController, clock: Clock): () => void {
  const untilMs = clock.now() + MOST_TRY_MS
  let cancel = () => {}
  const look = () => {
    if (clock.now() >= untilMs) abort.abort(new TooLong('it was not done within 6 h'))
    else cancel = clock.at(untilMs, look)
  }
  look()
  return () => cancel()
}

function late(ended: Ended, { message }: TooLong): Ended {
  return 'brokenOff' in ended ? { failure: { kind: 'stalled', message, permanent: false } } : ended
}

async function settle(record: UploadRecord, ended: Ended, options: OneOptions): Promise<Failed> {
  const { clock, random, telling, outbox } = options
  const nowMs = clock.now()
  if ('sent' in ended) {
    const { multipartId: _, lastError: __, ...rest } = record
    const { outcome } = ended
    const { notes, ...sent } = ended.sent
    const done: UploadRecord = { ...rest, ...sent, outcome, state: 'uploaded', finishedMs: nowMs }
    await kept(done, options)
    telling.uploaded(done, notes)
    await outbox.hurry(SOON_MS)
    return undefined
  }
  if ('failure' in ended) {
    const failed = afterFailure(record, ended.failure, { nowMs, random: random() })
    await kept(failed, options)
    telling.failed(failed)
    return failed
  }
  const { multipartId, ...rest } = record
  const left = ended.clean || multipartId === undefined ? {} : { multipartId }
  const waiting: UploadRecord = { ...rest, ...left, state: 'waiting', tries: record.tries - 1, nextTryMs: nowMs }
  await kept(waiting, options)
  telling.interrupted(waiting, ended.brokenOff)
  return 'interrupted'
}

/** What arrived is not forgotten because the disk is full now: nothing else is begun before it is written down. */
async function kept(record: UploadRecord, { outbox, isClosing, rest }: OneOptions): Promise<void> {
  for (;;) {
    try {
      return await outbox.keep(record)
    } catch (error) {
      if (!(error instanceof StoreError) || isClosing()) throw error
      await rest()
    }
  }
}

async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, milliseconds)
  await Promise.race([promise, late.promise])
  clearTimeout(timer)
}
