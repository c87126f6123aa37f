/** Hands readings and events over to a collector of OpenTelemetry, in the background. Nothing here ever stops the recording. */
import { setTimeout as delay } from 'node:timers/promises'
import type { OtlpConfig } from '../config/otlp.ts'
import type { Metric, Reading } from '../record/metrics/metric.ts'
import { createEventsSender, type EventSource } from './events-sender.ts'
import { createPace } from './pace.ts'
import { send } from './send.ts'
import { createState, type OtlpHealth, type SignalState } from './state.ts'

export interface OtlpOptions {
  readonly config: OtlpConfig
  readonly version: string
  /** What the telemetry is about: `host.name`, `service.name`, … Asked once it is needed, and again when it could not be had. */
  readonly resource: () => Promise<Readonly<Record<string, string>>>
  /** undefined: nothing is measured. */
  readonly reading?: (() => Promise<Reading>) | undefined
  readonly catalogue: readonly Metric[]
  /** undefined: nothing is recorded. */
  readonly events?: EventSource | undefined
  readonly log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
  /** How often events are looked for. */
  readonly pollMs?: number
  readonly timeoutMs?: number
}

export interface Otlp {
  start(): void
  health(): OtlpHealth
  /** Ends what is under way; events that wait stay in the database. */
  close(): Promise<void>
}

const POLL_MS = 5000
/** A collector may be restarted without anybody being told. */
const WORTH_A_WORD_MS = 300_000

type Turn = () => Promise<
  { readonly next: 'more' | 'idle' } | { readonly next: 'later'; readonly retryAfterMs?: number }
>

interface Signal {
  readonly name: 'metrics' | 'events'
  readonly state: SignalState
  readonly turn: Turn
  /** From one turn with nothing more to do to the next. */
  readonly idleMs: number
}

export function createOtlp(options: OtlpOptions): Otlp {
  const { config, pollMs = POLL_MS, events, reading, log } = options
  const closing = new AbortController()
  const to = lazily(options, closing.signal)
  const signals: Signal[] = []
  if (config.metrics && reading) signals.push(metricsSignal(options, reading, to))
  if (config.events && events) signals.push({ ...eventsSignal(events, to), idleMs: pollMs })
  let running: Promise<unknown> | undefined
  return {
    start() {
      running ??= Promise.all(signals.map((signal) => run(signal, closing.signal, log)))
    },
    health: () => ({
      ...Object.fromEntries(signals.map(({ name, state }) => [name, state.health()])),
      problems: signals.flatMap(problemsOf),
    }),
    async close() {
      closing.abort(new Error('diagd is shutting down'))
      await running
    },
  }
}

type To = ReturnType<typeof lazily>

/** The encoder and the resource, loaded when the first request is made. */
function lazily({ config, version, resource, timeoutMs }: OtlpOptions, closing: AbortSignal) {
  const request = { ...config, version, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  let known: Promise<Readonly<Record<string, string>>> | undefined
  return {
    async encoder() {
      const asked = (known ??= resource())
      asked.catch(() => (known = undefined))
      const origin = { resource: await asked, version }
      return { ...(await import('./encode.ts')), origin }
    },
    send: (signal: 'metrics' | 'logs', body: Uint8Array) => send(signal, body, request, closing),
  }
}

/** Counters lose nothing by a reading that was not taken, and metrics.db has it: the next try has the newest. */
function metricsSignal({ catalogue, config }: OtlpOptions, reading: () => Promise<Reading>, to: To): Signal {
  const state = createState()
  const turn: Turn = async () => {
    const { encodeReading, rejectedBy, origin } = await to.encoder()
    const { body, points } = encodeReading(await reading(), catalogue, origin)
    const delivery = await to.send('metrics', body)
    if (delivery.kind === 'later') {
      state.failed(delivery.reason)
      return { next: 'later', ...(delivery.retryAfterMs === undefined ? {} : { retryAfterMs: delivery.retryAfterMs }) }
    }
    if (delivery.kind === 'refused') state.refused(points, delivery.reason)
    else state.taken(points, rejectedBy('metrics', delivery.body))
    return { next: 'idle' }
  }
  return { name: 'metrics', state, turn, idleMs: config.intervalMs }
}

function eventsSignal(source: EventSource, to: To): Omit<Signal, 'idleMs'> {
  const state = createState()
  const { turn } = createEventsSender({
    source,
    state,
    async send(events) {
      const { encodeEvents, origin } = await to.encoder()
      return to.send('logs', encodeEvents(events, origin))
    },
    rejectedBy: async (body) => (await to.encoder()).rejectedBy('logs', body),
  })
  return { name: 'events', state, turn }
}

/** Until it is called off. What goes wrong is waited out: a collector that is away, a store that does not answer. */
async function run(
  { name, state, turn, idleMs }: Signal,
  closing: AbortSignal,
  log: OtlpOptions['log'],
): Promise<void> {
  const pace = createPace()
  // So that a fleet that was started at one moment does not send at one.
  let waitMs = Math.random() * idleMs
  let said: string | undefined
  while (await waited(waitMs, closing)) {
    const result = await turn().catch((error: Error) => {
      state.failed(error.message)
      return { next: 'later' as const }
    })
    if (result.next === 'later') waitMs = pace.later('retryAfterMs' in result ? result.retryAfterMs : undefined)
    else {
      pace.well()
      waitMs = result.next === 'more' ? 0 : idleMs
    }
    const { problem } = state.health()
    if (problem !== said && !closing.aborted) tell(name, problem, log)
    said = problem
  }
}

function tell(signal: string, problem: string | undefined, log: OtlpOptions['log']): void {
  if (problem === undefined) log.info({ signal }, `the collector takes ${signal} again`)
  else log.warn({ signal, reason: problem }, `${signal} did not all get to the collector`)
}

/** Whether there is a next turn. */
async function waited(milliseconds: number, closing: AbortSignal): Promise<boolean> {
  await delay(milliseconds, undefined, { signal: closing }).catch(() => {})
  return !closing.aborted
}

function problemsOf({ name, state }: Signal): string[] {
  const waitingMs = state.waitingMs()
  if (waitingMs < WORTH_A_WORD_MS) return []
  const { problem } = state.health()
  return [`The collector has taken no ${name} for ${Math.round(waitingMs / 60_000)} min: ${problem}`]
}
