/** What is due and what became of it, as the main thread has it: durable before anybody is told. */
import { StoreError } from '../../record/store/error.ts'
import type { StoreHealth } from '../../record/store/state.ts'
import { createStore } from '../../record/store/store.ts'
import type { StoreThread } from '../../record/store/thread.ts'
import type { Notice } from '../../record/store/words.ts'
import type { Trigger, UploadRecord, Uploads, UploadWish } from '../upload.ts'
import type { uploadsBook } from './book.ts'
import { UPLOADS_LABEL } from './label.ts'
import type { Next, Put, PutReply, Tally } from './write.ts'

export interface OutboxOptions {
  /** Where uploads.db is; made where there is none. */
  readonly folder: string
  readonly bootId: string
  readonly thread: StoreThread
  readonly now: () => number
  /** Takes what is to be told of the database, to be kept as events. */
  readonly tell: (notice: Notice) => void
  /** The database can be written to, as far as is known. */
  readonly onReady?: () => void
  /** How often a database that is paused tries again. */
  readonly probeMs?: number
  readonly maxAgeMs?: number
  readonly maxFinished?: number
  readonly mostWaiting?: number
}

/** Everything resolves or rejects with a StoreError. */
export interface Outbox extends Pick<Uploads, 'get' | 'list' | 'fired' | 'settled'> {
  /** The database file. Never to be opened and closed in this process but by snapshots: see src/sources/sqlite-files.ts. */
  readonly path: string
  put(wish: UploadWish, plan?: Put['plan']): Promise<PutReply>
  /** The row as it is to be from now on. */
  keep(record: UploadRecord): Promise<void>
  next(): Promise<Next>
  /** What failed before is tried within so many milliseconds. */
  hurry(withinMs: number): Promise<void>
  /** Of which something may still lie at the target, though they are not on their way. */
  left(): Promise<readonly UploadRecord[]>
  /** Nothing of this upload in parts lies there any more. */
  removed(id: number, multipartId: string): Promise<void>
  plan(name: string, timeMs: number): Promise<void>
  planned(name: string): Promise<number | undefined>
  /** As of the last write. */
  tally(): Tally
  open(): Promise<void>
  health(): StoreHealth
  close(): Promise<void>
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Rows have a kilobyte; twelve hundred of them fit in easily, beside the log. */
const SETTINGS = { maxAgeMs: 90 * DAY_MS, maxFinished: 1000, maxBytes: 16 * 1024 * 1024 }
/** A machine that cannot reach its target for days: more than that nobody will read. */
const MOST_WAITING = 200
const REASON_CHARACTERS = 1000
const PARAMETERS_BYTES = 16 * 1024
const MOST_LISTED = 1200

/** Nothing is opened before the first question. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { folder, bootId, thread, now, tell, onReady, mostWaiting = MOST_WAITING, ...given } = options
  const { maxAgeMs = SETTINGS.maxAgeMs, maxFinished = SETTINGS.maxFinished, probeMs } = given
  const settings = { ...SETTINGS, maxAgeMs, maxFinished, probeMs }
  const store = createStore<typeof uploadsBook>(UPLOADS_LABEL, {
    thread,
    folder,
    settings,
    tell,
    ...(onReady ? { onRecording: onReady } : {}),
  })
  const watchers = new Set<(record: UploadRecord) => void>()
  let tally: Tally = { waiting: 0, nextTryMs: null, lastUploadedMs: null }
  const changed = (record: UploadRecord) => {
    for (const watch of watchers) watch(record)
  }
  const get = (id: number) => store.ask('get', id)
  return {
    path: store.path,
    async put(wish, plan) {
      const record = recordOf(wish, { bootId, nowMs: now() })
      const reply = await store.taking(1, () => store.ask('put', { record, mostWaiting, plan }))
      ;({ tally } = reply)
      for (const one of reply.dropped) changed(one)
      return reply
    },
    async keep(record) {
      tally = await store.taking(1, () => store.ask('keep', { record, nowMs: now() }))
      changed(record)
    },
    async next() {
      const reply = await store.ask('next', { nowMs: now() })
      ;({ tally } = reply)
      return reply
    },
    async hurry(withinMs) {
      tally = await store.ask('hurry', { byMs: now() + withinMs, nowMs: now() })
    },
    left: () => store.ask('left', undefined),
    removed: (id, multipartId) => store.ask('removed', { id, multipartId }),
    plan: (name, timeMs) => store.ask('plan', { name, timeMs }),
    planned: (name) => store.ask('planned', name),
    list: ({ limit, state }) => store.ask('list', { limit: Math.min(limit, MOST_LISTED), state }),
    get,
    fired: (trigger: Trigger, sinceMs) => store.ask('fired', { trigger, sinceMs }),
    settled: (id, signal) => settled(id, signal, { get, watchers }),
    tally: () => tally,
    async open() {
      tally = await store.ask('tally', undefined)
    },
    health: () => store.health(0),
    close: () => store.close(async () => {}),
  }
}

/** @throws StoreError `invalid`. */
function recordOf(wish: UploadWish, { bootId, nowMs }: { bootId: string; nowMs: number }): Omit<UploadRecord, 'id'> {
  const { trigger, reason, parameters, timeMs, notBeforeMs = nowMs } = wish
  if (JSON.stringify(parameters).length > PARAMETERS_BYTES)
    throw new StoreError('invalid', `the parameters of the bundle are longer than ${PARAMETERS_BYTES} characters`)
  const facts = { trigger, parameters, timeMs: Math.round(timeMs), createdMs: nowMs, bootId }
  return {
    ...facts,
    reason: reason.length > REASON_CHARACTERS ? `${reason.slice(0, REASON_CHARACTERS - 1)}…` : reason,
    state: 'waiting',
    tries: 0,
    nextTryMs: Math.max(Math.round(notBeforeMs), nowMs),
  }
}

function isSettled({ state }: UploadRecord): boolean {
  return state !== 'waiting' && state !== 'running'
}

interface Watched {
  readonly get: Outbox['get']
  readonly watchers: Set<(record: UploadRecord) => void>
}

async function settled(id: number, signal: AbortSignal, { get, watchers }: Watched): Promise<UploadRecord | undefined> {
  const { promise, resolve } = Promise.withResolvers<UploadRecord | undefined>()
  const watch = (record: UploadRecord) => {
    if (record.id === id && isSettled(record)) resolve(record)
  }
  const stop = () => resolve(undefined)
  // Before it is looked at: nothing is missed in between.
  watchers.add(watch)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const record = await get(id)
    if (!record || isSettled(record) || signal.aborted) return record
    return (await promise) ?? (await get(id))
  } finally {
    watchers.delete(watch)
    signal.removeEventListener('abort', stop)
  }
}
