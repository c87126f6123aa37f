/** The recorder as the daemon has it: there from the first moment, opened behind it, and off with a reason where it cannot be. */
import { answered } from './answered.ts'
import { monotonicNowMs } from './recorder/clock.ts'
import {
  LEVELS,
  type Boot,
  type Cursor,
  type EventFilter,
  type NewEvent,
  type Snapshot,
  type StoredEvent,
} from './events/event.ts'
import type { FollowSink } from './events/follow-writer.ts'
import type { OwnEventStore } from './events/store.ts'
import type { FamilySample } from './metrics/families.ts'
import type { Mask } from './recorder/mask.ts'
import type { Recorder } from './recorder/recorder.ts'
import { StoreError } from './store/error.ts'
import type { Notice } from './store/words.ts'

export interface OpenRecorder {
  readonly store: OwnEventStore
  readonly recorder: Recorder
  readonly mask: Mask
  /** Masks what is secret as far as is known now; it may not have been when it was stored. */
  readonly told: (events: readonly StoredEvent[]) => Promise<readonly StoredEvent[]>
}

interface RecordingHealth {
  /** `starting`: it opens; who asks waits. `off`: it cannot be opened. */
  readonly state: 'starting' | 'recording' | 'paused' | 'off'
  readonly problems: readonly string[]
  readonly sizeBytes?: number
  readonly events?: number
  /** Events that were not taken since the start, or whose words could not be masked and were withheld. */
  readonly refusedEvents?: number
  readonly withheldEvents?: number
  /** `following`, `absent`, `waiting`, …: what becomes of the journal. */
  readonly journal?: string
}

export interface Recording {
  /** Opens it, in the background. What is asked before waits for that. */
  start(): void
  readonly now: () => Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>
  /** Masks and stores them, all or none. @throws StoreError */
  add(events: readonly NewEvent[]): Promise<readonly number[]>
  query(filter: EventFilter): Promise<readonly StoredEvent[]>
  boots(): Promise<readonly Boot[]>
  /** For what follows something: masks, and stores. */
  readonly sink: FollowSink
  /** Where somebody who takes events has come to; kept in the database. */
  cursor(name: string): Promise<string | undefined>
  keepCursor(cursor: Cursor): Promise<unknown>
  snapshot(signal: AbortSignal): Promise<Snapshot>
  setAside(): Promise<readonly string[]>
  /** A line of the audit log; nobody waits for it. */
  readonly audit: (fields: object) => void
  /** What another database of diagd has to tell; nobody waits for it. */
  tell(notice: Notice): void
  /** What of diagd does not work now. */
  problems(problems: readonly { readonly key: string; readonly message: string }[]): void
  health(): RecordingHealth
  /** Events that were recorded since the start, by level. */
  readonly counts: () => FamilySample[]
  /** Gets what is stored from now on, as it is stored; it returns at once. */
  listen(listener: Listener): void
  /** Says that diagd stopped, the last that is recorded. */
  close(): Promise<void>
}

/** Who asks is told before gateways give up. What is posted may wait longer: it is stored, or refused. */
const ANSWER_MS = 10_000

type Listener = (events: readonly NewEvent[]) => void

/** `stored` gets what is in the database. May reject: then nothing is recorded. */
export type Open = (stored: Listener) => Promise<OpenRecorder>

export function createRecording(bootId: string, open: Open): Recording {
  const opening = Promise.withResolvers<OpenRecorder>()
  opening.promise.catch(() => {})
  let opened: OpenRecorder | undefined
  let failure: string | undefined
  let started = false
  let troubles: Parameters<Recording['problems']>[0] = []
  const counts = new Map(LEVELS.map((level) => [level, 0]))
  const listeners: Listener[] = []

  const begin = async () => {
    try {
      opened = await open((events) => {
        for (const { level } of events) counts.set(level, counts.get(level)! + 1)
        for (const listener of listeners) listener(events)
      })
      opening.resolve(opened)
      await opened.recorder.start()
      opened.recorder.problems(troubles)
    } catch (error) {
      failure = (error as Error).message
      opening.reject(new StoreError('off', failure))
    }
  }
  const asked = <T>(ask: (opened: OpenRecorder) => Promise<T>) =>
    answered(
      opening.promise.then(ask),
      ANSWER_MS,
      `the events cannot be asked for: no answer within ${ANSWER_MS / 1000} s`,
    )
  return {
    start() {
      started = true
      void begin()
    },
    now: () => ({ timeMs: Date.now(), monotonicMs: monotonicNowMs(), bootId }),
    async add(events) {
      const { store, mask } = await opening.promise
      return store.append(await mask.events(events))
    },
    query: (filter) => asked(async ({ store, told }) => told(await store.query(filter))),
    boots: () => asked(({ store }) => store.boots()),
    sink: {
      append: async (events, cursor) => (await opening.promise).recorder.sink.append(events, cursor),
      cursor: (name) => asked(({ recorder }) => recorder.sink.cursor(name)),
    },
    cursor: async (name) => (await opening.promise).store.cursor(name),
    keepCursor: async (cursor) => (await opening.promise).store.append([], cursor),
    snapshot: async (signal) => (await opening.promise).store.snapshot(signal),
    setAside: async () => (await opening.promise).store.setAside(),
    audit: (fields) => void opening.promise.then(({ recorder }) => recorder.audit({ ...fields })).catch(() => {}),
    tell: (notice) => void opening.promise.then(({ store }) => store.tell(notice)).catch(() => {}),
    counts: () => Array.from(counts, ([level, value]) => ({ labels: { level }, value })),
    listen: (listener) => void listeners.push(listener),
    problems(list) {
      troubles = list
      opened?.recorder.problems(list)
    },
    health() {
      if (failure !== undefined) return { state: 'off', problems: [`Events are not recorded: ${failure}`] }
      return opened ? healthOf(opened) : { state: 'starting', problems: [] }
    },
    async close() {
      if (!started) return
      const { recorder, store } = (await opening.promise.catch(() => undefined)) ?? {}
      await recorder?.close()
      await store?.close()
    },
  }
}

function healthOf({ recorder, mask }: OpenRecorder): RecordingHealth {
  const { store, journal, cloudInit, dropped, withheld } = recorder.health()
  // A machine without a journal is no defect.
  const ofJournal = journal?.state === 'absent' ? undefined : journal?.problem
  const followed = [ofJournal, cloudInit?.problem].filter((problem) => problem !== undefined)
  return {
    state: store.state,
    problems: [...store.problems, ...(store.state === 'recording' ? followed : [])],
    sizeBytes: store.sizeBytes,
    events: store.events,
    refusedEvents: store.refusedEvents + dropped,
    withheldEvents: withheld + mask.withheld,
    ...(journal ? { journal: journal.state } : {}),
  }
}
