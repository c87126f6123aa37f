/** The store of metrics, as the main thread has it. The samples come from beside the database, in its thread. */
import type { Measured, MeasuredQuery } from '../../collector.ts'
import type { Snapshot } from '../../sources/sqlite-snapshot.ts'
import { openStoreThread } from '../store-thread.ts'
import type { StoreHealth } from '../store/state.ts'
import { createStore } from '../store/store.ts'
import type { StoreThread } from '../store/thread.ts'
import type { Notice } from '../store/words.ts'
import type { metricsBook } from './database/book.ts'
import type { Latest } from './database/latest.ts'
import type { KeptSample } from './database/write.ts'
import { METRICS_LABEL } from './label.ts'
import type { Reading, Subject } from './metric.ts'
import type { Hints, Newest, SamplingSettings, SamplingVerbs } from './sampling.ts'

export interface MetricsStoreOptions {
  /** Where metrics.db is; made where there is none. */
  readonly folder: string
  /** Older samples go, milliseconds; default 24 h. */
  readonly sampleAgeMs?: number
  /** Older minutes go, milliseconds; default 7 days. */
  readonly minuteAgeMs?: number
  /** Between two samples; default 10 s. */
  readonly intervalMs?: number
  /** The database and its log; default 64 MiB. */
  readonly maxBytes?: number
  /** How the machine is looked at; without it only what is given is kept. */
  readonly sampling?: SamplingSettings['sampling']
  /** How often a store that is paused tries again. */
  readonly probeMs?: number
  /** Default: one of its own. */
  readonly thread?: StoreThread
  /** Takes what is to be told of the database, to be kept as events. */
  readonly tell: (notice: Notice) => void
}

/** Keeps what was measured. Everything resolves or rejects; nothing holds the event loop. */
export interface MetricsStore {
  /** The database file. Never to be opened and closed in this process but by snapshots: see src/sources/sqlite-files.ts. */
  readonly path: string
  /** Opens the database and begins to look at the machine. */
  start(): Promise<void>
  /** A look at the machine that is not kept. @throws StoreError. */
  reading(): Promise<Reading>
  /** What the newest sample found of these: their counters and gauges. @throws StoreError. */
  newest(subjects: readonly Subject[]): Promise<Newest | undefined>
  /** What the thread cannot know itself; what was told before stays. */
  hint(hints: Hints): void
  /** Resolves with its id once neither a `kill -9` nor a power cut can lose it any more. @throws StoreError. */
  append(sample: KeptSample): Promise<number>
  /** @throws StoreError `invalid`, naming what is not known. */
  range(query: MeasuredQuery): Promise<Measured>
  latest(): Promise<Latest | undefined>
  health(): StoreHealth
  /** The whole database, consistent, while others go on writing: its bytes and how many there will be. */
  snapshot(signal?: AbortSignal): Promise<Snapshot>
  /** Files of databases that were set aside (damaged, of a newer diagd), newest first; a few are kept. */
  setAside(): Promise<readonly string[]>
  /** Bounded: a disk that does not answer holds it for seconds only. */
  close(): Promise<void>
}

const HOUR_MS = 60 * 60 * 1000
const DEFAULTS = {
  sampleAgeMs: 24 * HOUR_MS,
  minuteAgeMs: 7 * 24 * HOUR_MS,
  intervalMs: 10_000,
  maxBytes: 64 * 1024 * 1024,
}

/** With what answers beside the database. */
type Kept = typeof metricsBook & { readonly reads: SamplingVerbs }

/** Nothing is opened before the first question. */
export function createMetricsStore(options: MetricsStoreOptions): MetricsStore {
  const { folder, tell, thread = openStoreThread(), ...given } = options
  const store = createStore<Kept>(METRICS_LABEL, { thread, folder, settings: { ...DEFAULTS, ...given }, tell })
  return {
    path: store.path,
    async start() {
      await store.ask('lastSample', undefined)
    },
    reading: () => store.ask('reading', undefined),
    newest: (subjects) => store.ask('newest', subjects),
    hint: (hints) => void store.ask('hint', hints).catch(() => {}),
    append: (sample) => store.taking(1, () => store.ask('append', sample)),
    range: (query) => store.ask('range', query),
    latest: () => store.ask('latest', undefined),
    health: () => store.health(0),
    snapshot: store.snapshot,
    setAside: store.setAside,
    close: () => store.close(async () => {}),
  }
}
