/** The store of events: a queue before a thread that alone touches the database. */
import { join } from 'node:path'
import { openSnapshot } from '../../sources/sqlite-snapshot.ts'
import type { Boot, Cursor, EventFilter, EventStore, NewEvent, RecorderHealth } from './event.ts'
import { eventOf, rowOf, timeOf } from './row.ts'
import { EventStoreError } from '../store/error.ts'
import { resumedEvent, setAsideEvent, setAsideText } from '../store/words.ts'
import { listSetAside } from '../store/files.ts'
import type { Status } from '../store/protocol.ts'
import { createStoreQueue } from '../store/queue.ts'
import { createRawHold } from '../store/raw.ts'
import { createStoreThread } from '../store/thread.ts'

export interface EventStoreOptions {
  /** Where events.db is; made where there is none. */
  readonly folder: string
  /** The present boot, as /proc/sys/kernel/random/boot_id writes it. */
  readonly bootId: string
  readonly maxAgeMs?: number
  /** The database and its log. */
  readonly maxBytes?: number
  /** How often a store that is paused tries again. */
  readonly probeMs?: number
}

const FILE_NAME = 'events.db'
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
const MAX_BYTES = 64 * 1024 * 1024
const PROBE_MS = 1000
/** A disk that has not answered for so long is worth a word. */
const SLOW_MS = 10_000
const CLOSE_MS = 5000
/** The log is made short before a copy, unless the thread is kept by other things. */
const CHECKPOINT_MS = 1000
const STALL_MS = 15_000

/** Nothing is opened before the first question. */
export function createEventStore(options: EventStoreOptions): EventStore {
  const { folder, bootId, maxAgeMs = MAX_AGE_MS, maxBytes = MAX_BYTES, probeMs = PROBE_MS } = options
  const path = join(folder, FILE_NAME)
  const raw = createRawHold(path)
  const state = createState(bootId, (events) => record(events))
  const said = (status: Status) => {
    if (status.generation !== state.status()?.generation) raw.renew()
    state.said(status)
  }
  const thread = createStoreThread({ path, maxAgeMs, maxBytes, probeMs }, { said, broke: state.broke })
  const queue = createStoreQueue((jobs) => thread.ask({ kind: 'append', jobs }))
  let closed = false

  const record = async (events: readonly NewEvent[], cursor?: Cursor) => {
    const rows = events.map((event) => rowOf(event))
    const first = await queue.add({ rows, ...(cursor ? { cursor } : {}) })
    return rows.map((_, index) => first + index)
  }
  const append = async (events: readonly NewEvent[], cursor?: Cursor) => {
    try {
      if (closed) throw new EventStoreError('closed', 'the store is closed')
      state.refuseWhileStopped()
      return await record(events, cursor)
    } catch (error) {
      if (error instanceof EventStoreError && error.code !== 'invalid') state.refused(events.length)
      throw error
    }
  }
  const boots = async () => numbered(await thread.ask({ kind: 'boots' }), bootId)
  const query = async ({ boot, ...filter }: EventFilter) => {
    const id = typeof boot === 'number' ? (await boots()).find(({ index }) => index === boot)?.bootId : boot
    if (boot !== undefined && id === undefined) return []
    const rows = await thread.ask({ kind: 'query', filter: { ...filter, ...(id === undefined ? {} : { boot: id }) } })
    return rows.map((row) => eventOf(row))
  }
  const snapshot = async (signal = new AbortController().signal) => {
    await within(thread.ask({ kind: 'checkpoint' }), CHECKPOINT_MS)
    await raw.ready()
    return openSnapshot(path, { patience: { ms: STALL_MS, signal } })
  }
  const close = async () => {
    closed = true
    await within(queue.idle(), CLOSE_MS)
    if (!thread.started()) return thread.terminate()
    const done = await within(thread.ask({ kind: 'close' }), CLOSE_MS)
    thread.terminate()
    if (done) await raw.release()
  }
  return {
    path,
    append,
    query,
    boots,
    cursor: (name) => thread.ask({ kind: 'cursor', name }),
    health: () => healthOf(state, thread.waitingMs(), queue.waiting()),
    snapshot,
    setAside: async () => listSetAside(path),
    close,
  }
}

type State = ReturnType<typeof createState>

/** Whether it records, and what has to be told of it. */
function createState(bootId: string, record: (events: readonly NewEvent[]) => Promise<unknown>) {
  let status: Status | undefined
  let stopped: { code: 'paused' | 'off'; reason: string; sinceMs: number } | undefined
  let refused = 0
  let refusedNow = 0
  /** Kept until the store has them. */
  let untold: NewEvent[] = []

  const tell = () => {
    const events = untold
    untold = []
    if (events.length > 0) record(events).catch(() => untold.unshift(...events))
  }
  const said = (now: Status) => {
    untold.push(...now.setAside.slice(status?.setAside.length ?? 0).map((one) => setAsideEvent(one, bootId)))
    status = now
    if (now.state !== 'recording') {
      stopped = { code: now.state, reason: now.reason ?? '', sinceMs: stopped?.sinceMs ?? now.sinceMs ?? Date.now() }
      return
    }
    if (stopped) untold.push(resumedEvent({ ...stopped, refusedEvents: refusedNow }, bootId))
    stopped = undefined
    refusedNow = 0
    tell()
  }
  return {
    said,
    status: () => status,
    stopped: () => stopped,
    refusedEvents: () => refused,
    /** The thread is gone, and what it knew. */
    broke(why: string) {
      stopped ??= { code: 'paused', reason: `the thread of the store ${why}`, sinceMs: Date.now() }
      if (status) status = { ...status, setAside: [], generation: 0 }
    },
    refused(events: number) {
      refused += events
      refusedNow += events
    },
    refuseWhileStopped() {
      if (stopped) throw new EventStoreError(stopped.code, stopped.reason)
    },
  }
}

function healthOf(state: State, waitingMs: number, waiting: number): RecorderHealth {
  const stopped = state.stopped()
  const { setAside = [], notes = [], sizeBytes = 0, events = 0 } = state.status() ?? {}
  const problems = setAside.map((one) => setAsideText(one))
  problems.push(...notes.map((note) => `The database of events: ${note}`))
  if (stopped)
    problems.unshift(`Events are not recorded since ${new Date(stopped.sinceMs).toISOString()}: ${stopped.reason}`)
  if (waitingMs > SLOW_MS)
    problems.push(`The disk has not taken events for ${Math.round(waitingMs / 1000)} s; ${waiting} wait`)
  return { state: stopped?.code ?? 'recording', problems, sizeBytes, events, refusedEvents: state.refusedEvents() }
}

/** The present boot is 0, also where nothing is known of it yet; the others go back from −1, the latest first. */
function numbered(rows: readonly { bootId: string; first: string; last: string }[], present: string): Boot[] {
  const boots = [...rows.filter((row) => row.bootId === present), ...rows.filter((row) => row.bootId !== present)]
  const start = boots[0]?.bootId === present ? 0 : -1
  return boots.map(({ bootId, first, last }, at) => ({
    bootId,
    index: at === 0 && start === 0 ? 0 : start - at,
    firstMs: timeOf(first),
    lastMs: timeOf(last),
  }))
}

/** Whether it was done in time; what comes of it later is let go. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), milliseconds)
  const done = await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    late.promise,
  ])
  clearTimeout(timer)
  return done
}
