/** One try of one row, each step durable before what it stands for. */
import { StoreError } from '../../record/store/error.ts'
import type { UploadFailure, UploadRecord } from '../upload.ts'
import { afterFailure, SOON_MS } from './again.ts'
import { attempt, type Ended } from './attempt.ts'
import type { Clock } from './clock.ts'
import type { Courtesy } from './courtesy.ts'
import { prepare, type Prepared } from './prepare.ts'
import type { RunnerOptions } from './runner.ts'

/** A try that takes longer is none that will end. */
const MOST_TRY_MS = 6 * 60 * 60 * 1000

export interface Trying {
  record: UploadRecord
  readonly abort: AbortController
}

export interface TryOptions extends RunnerOptions {
  readonly isClosing: () => boolean
  readonly rest: () => Promise<void>
}

export type Failed = UploadRecord | undefined | 'interrupted'

/** One try, from the row that says that it runs to the row that says how it ended. Gives the row where it failed. */
export async function tryOnce(running: Trying, courtesy: Courtesy, options: TryOptions): Promise<Failed> {
  const { facts, outbox, engine, clock, telling } = options
  const nowMs = clock.now()
  const { nextTryMs: _, ...rest } = running.record
  const began: UploadRecord = { ...rest, state: 'running', tries: rest.tries + 1, startedMs: nowMs }
  const prepared = tryTo(() => prepare(running.record, facts, engine, nowMs))
  running.record = 'failure' in prepared ? began : { ...began, bundleId: prepared.bundleId, key: prepared.job.key }
  await outbox.keep(running.record)
  telling.began()
  let isOver = false
  const keepId = async (multipartId: string) => {
    // It says that it runs: nothing may say so after the row that says how it ended.
    if (isOver) throw new Error('the try is over')
    running.record = { ...running.record, multipartId }
    await outbox.keep(running.record)
  }
  const cancel = endLate(running.abort, clock)
  const deps = { ...options, courtesy, onMultipart: keepId, onBytes: telling.bytes }
  const ended = 'failure' in prepared ? prepared : await attempt(prepared, deps, running.abort.signal)
  isOver = true
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

async function settle(record: UploadRecord, ended: Ended, options: TryOptions): Promise<Failed> {
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
async function kept(record: UploadRecord, { outbox, isClosing, rest }: TryOptions): Promise<void> {
  for (;;) {
    try {
      return await outbox.keep(record)
    } catch (error) {
      if (!(error instanceof StoreError) || isClosing()) throw error
      await rest()
    }
  }
}
