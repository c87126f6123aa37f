/** Bundles that diagd sends by itself: listens to what is recorded and measured, and asks for one as often as it may. */
import { parseTime } from '../../collect/request.ts'
import type { TriggersConfig } from '../../config/upload-triggers.ts'
import { ownType } from '../../record/classify/own.ts'
import type { EventFilter, NewEvent } from '../../record/events/event.ts'
import type { FamilySample } from '../../record/metrics/families.ts'
import type { Trigger, UploadRecord, Uploads } from '../upload.ts'
import type { Due } from './due.ts'
import { createEventTriggers } from './events.ts'
import { HeldBack } from './held-back.ts'
import { holdOf, limitsOf, type Hold } from './limits.ts'
import { createMeasuredTriggers, type Measurement } from './measured.ts'
import { createBootWatch } from './boot-watch.ts'

export interface TriggersOptions {
  readonly config: TriggersConfig
  /** Of every bundle that is sent. */
  readonly parameters: Readonly<Record<string, string>>
  readonly uploads: Pick<Uploads, 'request' | 'fired'>
  readonly now: () => Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>
  /** When this machine or container began to boot. */
  readonly bootStartMs: number
  /** Takes events; nobody waits for them. */
  readonly tell: (event: NewEvent) => void
  /** What is recorded; rejects while it cannot be asked. */
  readonly query: (filter: EventFilter) => Promise<readonly unknown[]>
  /** The newest sample; costs no look. Without it nothing is known of pressure and disks. */
  readonly newest?: (() => Promise<Measurement | undefined>) | undefined
  readonly log: { warn(fields: object, message: string): void }
}

export interface Triggers {
  /** What is stored just now. Returns at once, and never throws. */
  heard(events: readonly NewEvent[]): void
  /** Looks at what was measured, and at the boot; tells what was held back. Every 10 s. */
  tick(): Promise<void>
  /** Somebody says that something is due: a shutdown. It is limited as the others are. */
  ask(due: Due, parameters: Readonly<Record<string, string>>): Promise<UploadRecord | Hold | 'off'>
  /** What was held back since the start. */
  heldBack(): readonly FamilySample[]
  /** Resolves when what was heard so far is asked for. */
  idle(): Promise<void>
  /** Tells what was held back. */
  close(): void
}

/** The last words of what broke are written and read by then. */
const LAST_WORDS_MS = 5000
/** What led to it. */
const BEFORE_MS = 15 * 60_000
const WINDOW_MS = 86_400_000

export function createTriggers(options: TriggersOptions): Triggers {
  const { config, uploads, now, tell, newest, log } = options
  const events = createEventTriggers(options)
  const measured = createMeasuredTriggers(config)
  const isMeasured = config.pressure !== undefined || config.disk !== undefined
  const boot = createBootWatch({ ...options, slowBoot: config.slowBoot })
  const held = new HeldBack((trigger, message, detail) =>
    tell({ ...now(), ...ownType('upload.held-back'), subject: trigger, message, detail }),
  )
  /** Until when a trigger need not ask the outbox; and when the bundle begins that was asked for last. */
  const deaf = new Map<Trigger, { readonly untilMs: number; readonly hold: Hold }>()
  let beginsMs = -Infinity
  let last: Promise<unknown> = Promise.resolve()

  /** By the clock that nobody sets. */
  const clockMs = () => now().monotonicMs ?? performance.now()
  const hold = async ({ trigger }: Due): Promise<Hold | undefined> => {
    const limits = limitsOf(config, trigger)!
    if (trigger !== 'shutdown' && clockMs() < beginsMs) return 'burst'
    const known = deaf.get(trigger)
    if (known && clockMs() < known.untilMs) return known.hold
    const found = await holdOf(trigger, limits, { fired: uploads.fired, nowMs: now().timeMs })
    if (found) deaf.set(trigger, { untilMs: clockMs() + ASK_AGAIN_MS, hold: found })
    return found
  }
  const request = async (due: Due, more: Readonly<Record<string, string>>): Promise<UploadRecord> => {
    const { timeMs } = now()
    const waitMs = due.trigger === 'shutdown' ? 0 : LAST_WORDS_MS
    const parameters = { since: sinceOf(due, options.parameters, timeMs), ...more }
    const { trigger, reason } = due
    const wish = { trigger, reason, parameters, timeMs: due.timeMs }
    const record = await uploads.request(waitMs === 0 ? wish : { ...wish, notBeforeMs: timeMs + waitMs })
    beginsMs = clockMs() + waitMs
    const { debounceMs } = limitsOf(config, trigger)!
    deaf.set(trigger, { untilMs: clockMs() + debounceMs, hold: 'debounce' })
    return record
  }
  const handle = async (due: Due, more: Readonly<Record<string, string>> = {}): Promise<UploadRecord | Hold> => {
    try {
      const why = await hold(due)
      if (!why) return await request(due, more)
      held.add(due, why, now().timeMs)
      return why
    } catch (error) {
      log.warn({ trigger: due.trigger, reason: (error as Error).message }, `no bundle is sent: ${due.reason}`)
      held.add(due, 'store', now().timeMs)
      return 'store'
    }
  }
  /** One after the other: two at the same time would not know of each other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
  const take = (all: readonly Due[]) => {
    for (const [due, more] of distinct(all)) {
      for (const one of more) held.add(one, 'burst', now().timeMs)
      void inTurn(() => handle(due))
    }
  }
  return {
    heard(batch) {
      try {
        boot.heard(batch)
        take(events(batch))
      } catch (error) {
        // Whoever stores events is not to suffer by it.
        log.warn({ err: error }, 'what is recorded could not be looked at for uploads')
      }
    },
    async tick() {
      const measurement = isMeasured ? await newest?.().catch(() => undefined) : undefined
      if (measurement) take(measured(measurement))
      take(await boot.look())
      held.tell(now().timeMs)
    },
    async ask(due, parameters) {
      if (!limitsOf(config, due.trigger)) return 'off'
      return inTurn(() => handle(due, parameters))
    },
    heldBack: () => held.samples(),
    async idle() {
      await last
    },
    close: () => held.tell(Infinity),
  }
}

/** What was asked for by somebody else in between is known then, too. */
const ASK_AGAIN_MS = 60_000

/** The first of each trigger, and how many more there were. */
function distinct(all: readonly Due[]): (readonly [due: Due, more: readonly Due[]])[] {
  const groups = Map.groupBy(all, ({ trigger }) => trigger)
  return Array.from(groups.values(), ([first, ...more]) => [first!, more] as const)
}

/** Always a moment, no "2h ago": the bundle may be made hours later, when the target answers again. */
function sinceOf({ timeMs, fromMs = timeMs }: Due, { since }: Readonly<Record<string, string>>, nowMs: number): string {
  const usualMs = since === undefined ? nowMs - WINDOW_MS : parseTime('since', since, nowMs)
  return new Date(Math.min(usualMs, fromMs - BEFORE_MS)).toISOString()
}
