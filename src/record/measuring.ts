/** What measures, as the daemon has it: there from the first moment, opened behind it, and off with a reason where it cannot be. */
import type { MetricsRecorded } from '../collect/recorded-metrics.ts'
import type { Measured, MeasuredQuery } from '../collector.ts'
import type { Snapshot } from '../sources/sqlite-snapshot.ts'
import { answered } from './answered.ts'
import type { Reading, Subject } from './metrics/metric.ts'
import type { Newest } from './metrics/sampling.ts'
import type { MetricsStore } from './metrics/store.ts'
import { metricsHere } from './recorded-metrics-here.ts'
import { StoreError } from './store/error.ts'

interface MeasuringHealth {
  /** `starting`: it opens. `paused`: samples are not kept now. `off`: it cannot be opened. */
  readonly state: 'starting' | 'recording' | 'paused' | 'off'
  readonly problems: readonly string[]
  readonly sizeBytes?: number
  readonly samples?: number
  /** Samples that could not be kept since the start. */
  readonly refusedSamples?: number
}

export interface Measuring {
  /** Opens it, in the background. What is asked before waits for that. */
  start(): void
  /**
   * The machine as it is now, at most a second old: whoever asks oftener gets the same.
   * @throws Error when the thread does not answer.
   */
  reading(): Promise<Reading>
  /** What the newest sample found of these: costs no look. Rejects when it cannot be asked. */
  newest(subjects: readonly Subject[]): Promise<Newest | undefined>
  /** What containers are called, by their ids. */
  called(names: ReadonlyMap<string, string>): void
  range(query: MeasuredQuery): Promise<Measured>
  snapshot(signal: AbortSignal): Promise<Snapshot>
  /** For bundles. */
  readonly recorded: MetricsRecorded
  health(): MeasuringHealth
  close(): Promise<void>
}

export interface MeasuringOptions {
  /** In a folder with this, for who asks where it is. */
  readonly path: string
  readonly intervalMs: number
  /** May reject: then it is off. */
  readonly open: () => Promise<MetricsStore>
  readonly deadlineMs?: number
}

/** A look takes some milliseconds of a thread; nobody needs them oftener. */
const FRESH_MS = 1000
const HUNG = 'the thread that measures does not answer: the disk may hold it'
/** Prometheus waits 10 s for all of it. The thread may hang in an fsync. */
const DEADLINE_MS = 5000
/** Coarse, for each wakes the process, and that is most of what it costs at rest. What holds it for half a second is always seen, less by chance. */
const LOOK_MS = 500

/** As many as there are digits in the labels of metrics. */
const ID_DIGITS = 12
/** More do not fit on a machine whose containers are measured (128). */
const MOST_NAMES = 1000

export function createMeasuring(options: MeasuringOptions): Measuring {
  const { path, intervalMs, open, deadlineMs = DEADLINE_MS } = options
  const opening = Promise.withResolvers<MetricsStore>()
  opening.promise.catch(() => {})
  let opened: MetricsStore | undefined
  let failure: string | undefined
  const hinting = new DisposableStack()
  let containerNames: Readonly<Record<string, string>> = {}
  let started = false

  const begin = async () => {
    try {
      opened = await open()
      opening.resolve(opened)
      opened.hint({ containerNames })
      hinting.use(tellDelays((own) => opened!.hint({ own, containerNames }), intervalMs))
      // Where the database cannot be opened now, its health says so, and it is tried again.
      await opened.start().catch(() => {})
    } catch (error) {
      failure = (error as Error).message
      opening.reject(new StoreError('off', failure))
    }
  }
  const range: Measuring['range'] = async (query) => (await opening.promise).range(query)
  const snapshot: Measuring['snapshot'] = async (signal) => (await opening.promise).snapshot(signal)
  const setAside = async () => (await opening.promise).setAside()
  return {
    start() {
      started = true
      void begin()
    },
    reading: atMostEvery(FRESH_MS, async () => answered((await opening.promise).reading(), deadlineMs, HUNG)),
    newest: async (subjects) => answered((await opening.promise).newest(subjects), deadlineMs, HUNG),
    called(names) {
      const known = Array.from(names, ([id, name]) => [id.slice(0, ID_DIGITS), name] as const)
      containerNames = Object.fromEntries(known.slice(0, MOST_NAMES))
      opened?.hint({ containerNames })
    },
    range,
    snapshot,
    recorded: metricsHere({ path, range, setAside, snapshot: (signal) => snapshot(signal!) }),
    health() {
      if (failure !== undefined) return { state: 'off', problems: [`Metrics are not recorded: ${failure}`] }
      if (!opened) return { state: 'starting', problems: [] }
      const { rows, refused, ...health } = opened.health()
      return { ...health, samples: rows, refusedSamples: refused }
    },
    async close() {
      if (!started) return
      const store = await opening.promise.catch(() => undefined)
      hinting.dispose()
      await store?.close()
    },
  }
}

/**
 * How late the event loop of this thread was since the sample before, for the thread that measures. By a timer of our own:
 * what monitorEventLoopDelay counts is lost around each reset.
 */
function tellDelays(tell: (own: Readonly<Record<string, number>>) => void, intervalMs: number): Disposable {
  let dueMs = performance.now() + LOOK_MS
  let latestMs = 0
  const looking = setInterval(() => {
    const nowMs = performance.now()
    latestMs = Math.max(latestMs, nowMs - dueMs)
    dueMs = nowMs + LOOK_MS
  }, LOOK_MS).unref()
  const telling = setInterval(() => {
    tell({ diagd_event_loop_delay_seconds: latestMs / 1000 })
    latestMs = 0
  }, intervalMs).unref()
  return {
    [Symbol.dispose]() {
      clearInterval(looking)
      clearInterval(telling)
    },
  }
}

/** Those who ask at the same time, or soon after, get the same; a failure is not kept. */
function atMostEvery<T>(milliseconds: number, make: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined
  let doneMs = Infinity
  return () => {
    // Infinity: it is under way.
    if (kept && performance.now() - doneMs < milliseconds) return kept
    doneMs = Infinity
    const asked = make()
    kept = asked
    asked.then(
      () => void (doneMs = performance.now()),
      () => void (kept = undefined),
    )
    return asked
  }
}
