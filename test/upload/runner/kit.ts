/** Uploads over a real outbox, with a clock that the test sets, an engine that makes what the test says, and a target in memory. */
import { createHash } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { parseUploadsKey, type UploadsConfig } from '../../../src/config/uploads.ts'
import { DEFAULT_LIMITS } from '../../../src/config/limits.ts'
import type { NewEvent } from '../../../src/record/events/event.ts'
import { openStoreThread } from '../../../src/record/store-thread.ts'
import type { Clock } from '../../../src/upload/runner/clock.ts'
import type {
  AbortStale,
  SendJob,
  Sending,
  Sent,
  Stale,
  UploadEngine,
  UploadFailure,
  Uploads,
} from '../../../src/upload/upload.ts'
import { createUploads } from '../../../src/upload/uploads.ts'
import { BOOT, NOON_MS } from '../outbox/kit.ts'

export interface TestClock extends Clock {
  /** Sets it, and calls who waited for that. */
  set(ms: number): void
  advance(ms: number): void
  /** Calls all who wait, as it may: they look again. */
  wake(): void
}

export function testClock(startMs = NOON_MS): TestClock {
  let nowMs = startMs
  const calls = new Map<object, { ms: number; call: () => void }>()
  const callThose = (which: (ms: number) => boolean) => {
    const waiting = [...calls]
    for (const [key, one] of waiting) if (which(one.ms) && calls.delete(key)) one.call()
  }
  const set = (ms: number) => {
    nowMs = ms
    callThose((dueMs) => dueMs <= ms)
  }
  return {
    now: () => nowMs,
    at(ms, call) {
      const key = {}
      if (ms <= nowMs) queueMicrotask(() => calls.delete(key) && call())
      calls.set(key, { ms, call })
      return () => void calls.delete(key)
    },
    set,
    advance: (ms) => set(nowMs + ms),
    wake: () => callThose(() => true),
  }
}

/** How a try ends at the target; `hang`: not before it is aborted. */
export type Script = { readonly sent: Partial<Sent> } | { readonly failure: UploadFailure } | 'hang'

export interface TestTarget {
  readonly jobs: SendJob[]
  /** What arrived, by key: one for each time. */
  readonly arrived: { readonly key: string; readonly bytes: Buffer }[]
  readonly aborted: string[]
  /** What was left, and is asked to be removed. */
  readonly stales: Stale[]
  /** Why that cannot be done. */
  stuck: UploadFailure | undefined
  /** It does not answer who wants something removed. */
  silent: boolean
  readonly ends: Script[]
  /** The target begins an upload in parts before it takes the first byte. */
  multipart: string | undefined
  /** It takes no byte before this resolves; and refuses where it rejects. */
  gate: Promise<void>
  readonly writing: number
  start(job: SendJob): Sending
  abortStale: AbortStale
}

export function testTarget(...ends: Script[]): TestTarget {
  let writing = 0
  const target: TestTarget = {
    jobs: [],
    arrived: [],
    aborted: [],
    stales: [],
    stuck: undefined,
    silent: false,
    ends,
    multipart: undefined,
    gate: Promise.resolve(),
    get writing() {
      return writing
    },
    start(job) {
      target.jobs.push(job)
      const script = ends.length > 1 ? ends.shift()! : (ends[0] ?? { sent: {} })
      return sendingOf(job, script, target, (more) => (writing += more))
    },
    async abortStale(stales, signal) {
      target.stales.push(...stales)
      if (target.silent) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return stales.map(() => target.stuck)
    },
  }
  return target
}

function sendingOf(job: SendJob, script: Script, target: TestTarget, count: (more: number) => void): Sending {
  const parts: Buffer[] = []
  let keep: (id: string) => Promise<void> = async () => {}
  let isBegun = false
  const gone = Promise.withResolvers<never>()
  gone.promise.catch(() => {})
  return {
    sentBytes: 0,
    sink: {
      async write(chunk) {
        count(1)
        if (!isBegun && target.multipart !== undefined) await keep(target.multipart)
        isBegun = true
        await Promise.race([target.gate, gone.promise])
        parts.push(Buffer.from(chunk))
      },
    },
    async end() {
      if (script === 'hang') return gone.promise.catch(() => ({ failure: failure('killed') }))
      if ('failure' in script) return script
      const bytes = Buffer.concat(parts)
      target.arrived.push({ key: job.key, bytes })
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return { sent: { key: job.key, sizeBytes: bytes.length, sha256, verified: true, ...script.sent } }
    },
    async abort(reason) {
      target.aborted.push(reason)
      gone.reject(new Error(reason))
    },
    onMultipart: (tell) => void (keep = tell),
  }
}

export function failure(kind: UploadFailure['kind'], more: Partial<UploadFailure> = {}): UploadFailure {
  return { kind, message: `it is ${kind}`, permanent: false, ...more }
}

interface TestPlaces {
  running: number
  idle(): Promise<void>
  /** A person comes; a function that lets them go. */
  come(): () => void
}

function testPlaces(): TestPlaces {
  let waiting: (() => void)[] = []
  const places: TestPlaces = {
    running: 0,
    idle: () => (places.running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    come() {
      places.running += 1
      return () => {
        places.running -= 1
        const told = waiting
        waiting = []
        for (const resolve of told) resolve()
      }
    },
  }
  return places
}

export interface Bench {
  readonly uploads: Uploads
  readonly clock: TestClock
  readonly target: TestTarget
  readonly places: TestPlaces
  readonly events: NewEvent[]
  /** Of the type, in order. */
  told(type: string): string[]
}

export interface BenchOptions {
  readonly folder: string
  readonly config?: Record<string, unknown>
  readonly clock?: TestClock
  readonly target?: TestTarget
  readonly node?: string
  readonly collect?: UploadEngine['collect']
  readonly recipients?: readonly string[]
}

/** Closed when the test ends. */
export function benchIn({ folder, config = {}, node = 'a', recipients = [], ...given }: BenchOptions): Bench {
  const { clock = testClock(), target = testTarget(), collect = hello } = given
  const places = testPlaces()
  const events: NewEvent[] = []
  const uploads = createUploads(
    {
      config: parseUploadsKey({ target: 's3://bucket/', ...config }) as UploadsConfig,
      limits: DEFAULT_LIMITS,
      recipients,
      stateDir: folder,
      node,
      bootId: BOOT,
      thread: openStoreThread(),
      places,
      engine: () => ({
        collectorIds: ['events', 'host'],
        bundleId: (nowMs) => `debug-${node}-${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-abcdef`,
        collect,
      }),
      startSending: (job) => target.start(job),
      abortStale: (stales, signal) => target.abortStale(stales, signal),
      tell: (event) => void events.push(event),
      log: { warn() {}, error: (fields) => void events.push(fields as NewEvent) },
    },
    { clock, random: () => 0.5 },
  )
  uploads.start()
  onTestFinished(() => uploads.close())
  const told = (type: string) => events.filter((event) => event.type === type).map(({ message }) => message)
  return { uploads, clock, target, places, events, told }
}

const hello: UploadEngine['collect'] = async ({ sink }) => {
  await sink.write(Buffer.from('hello '))
  await sink.write(Buffer.from('world'))
  return { outcome: 'whole' }
}
