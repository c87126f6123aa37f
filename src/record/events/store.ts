/** The store of events: a queue before a thread that alone touches the database. */
import { openStoreThread } from '../store-thread.ts'
import { createStore } from '../store/store.ts'
import type { StoreThread } from '../store/thread.ts'
import type { Notice } from '../store/words.ts'
import type { eventsBook } from './book.ts'
import type { Boot, Cursor, EventFilter, EventStore, NewEvent } from './event.ts'
import { EVENTS_LABEL } from './label.ts'
import { createStoreQueue } from './queue.ts'
import { eventOf, rowOf, timeOf } from './row.ts'

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
  /** Default: one of its own. */
  readonly thread?: StoreThread
}

export interface OwnEventStore extends EventStore {
  /** Keeps what a database has to tell of itself as soon as that is possible. */
  readonly tell: (notice: Notice) => void
}

const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
const MAX_BYTES = 64 * 1024 * 1024
/** What cannot be kept yet; a database that is off tells more than once. */
const MOST_UNTOLD = 100

/** Nothing is opened before the first question. */
export function createEventStore(options: EventStoreOptions): OwnEventStore {
  const { folder, bootId, maxAgeMs = MAX_AGE_MS, maxBytes = MAX_BYTES, probeMs, thread = openStoreThread() } = options
  let untold: NewEvent[] = []
  const sendUntold = () => {
    const events = untold
    untold = []
    if (events.length > 0) record(events).catch(() => (untold = [...events, ...untold].slice(0, MOST_UNTOLD)))
  }
  const keep = (notice: Notice) => {
    if (untold.length < MOST_UNTOLD) untold.push({ ...notice, bootId, source: 'diagd' })
  }
  const settings = { maxAgeMs, maxBytes, probeMs }
  const store = createStore<typeof eventsBook>(EVENTS_LABEL, {
    thread,
    folder,
    settings,
    tell: keep,
    onRecording: sendUntold,
  })
  const queue = createStoreQueue((jobs) => store.ask('append', jobs))

  const record = async (events: readonly NewEvent[], cursor?: Cursor) => {
    const rows = events.map((event) => rowOf(event))
    const first = await queue.add({ rows, ...(cursor ? { cursor } : {}) })
    return rows.map((_, index) => first + index)
  }
  const boots = async () => numbered(await store.ask('boots', undefined), bootId)
  return {
    path: store.path,
    append: (events, cursor) => store.taking(events.length, () => record(events, cursor)),
    async query({ boot, ...filter }: EventFilter) {
      const id = typeof boot === 'number' ? (await boots()).find(({ index }) => index === boot)?.bootId : boot
      if (boot !== undefined && id === undefined) return []
      const rows = await store.ask('query', { ...filter, ...(id === undefined ? {} : { boot: id }) })
      return rows.map((row) => eventOf(row))
    },
    boots,
    cursor: (name) => store.ask('cursor', name),
    health() {
      const { rows, refused, ...health } = store.health(queue.waiting())
      return { ...health, events: rows, refusedEvents: refused }
    },
    snapshot: store.snapshot,
    setAside: store.setAside,
    close: () => store.close(queue.idle),
    tell(notice) {
      keep(notice)
      if (store.health(0).state === 'recording') sendUntold()
    },
  }
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
