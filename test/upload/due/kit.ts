/** Triggers with a clock of the test's own, and an outbox in memory. */
import { parseUploadsKey } from '../../../src/config/uploads.ts'
import type { NewEvent } from '../../../src/record/events/event.ts'
import type { Measurement } from '../../../src/upload/due/measured.ts'
import { createTriggers, type Triggers, type TriggersOptions } from '../../../src/upload/due/triggers.ts'
import type { Trigger, UploadRecord, UploadWish } from '../../../src/upload/upload.ts'

export const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
export const BEFORE = '0f1e2d3c-0000-4000-8000-000000000000'
export const NOON_MS = Date.UTC(2026, 5, 15, 12)
export const SECOND = 1000
export const MINUTE = 60_000
export const HOUR = 3_600_000
/** Of the boot, when a test begins. */
export const UP_MS = 10 * MINUTE

export function triggersOf(triggers: unknown = {}) {
  const config = parseUploadsKey({ target: 's3://bkt', triggers })
  if (config === 'none') throw new Error('it is none')
  return config.triggers
}

export interface Bench {
  readonly wishes: UploadWish[]
  readonly told: NewEvent[]
  readonly warned: string[]
  readonly triggers: Triggers
  /** Milliseconds since NOON_MS. */
  nowMs: number
  /** Of the newest sample. */
  measurement: Measurement | undefined
  /** What the outbox says instead. */
  refusal: Error | undefined
  /** What is recorded of this boot, by type. */
  readonly recorded: Set<string>
  event(type: string, more?: Partial<NewEvent>): NewEvent
  heard(...events: NewEvent[]): Promise<void>
  /** As another diagd, with what is in the outbox. */
  restart(): void
  asked(): string[]
}

export interface BenchOptions {
  readonly triggers?: unknown
  readonly parameters?: Readonly<Record<string, string>>
  readonly upMs?: number
  /** Of the kernel: in a container it is up for longer. */
  readonly kernelUpMs?: number
}

export function bench(more: BenchOptions = {}) {
  const { upMs = UP_MS, kernelUpMs = upMs, parameters = {} } = more
  const rows: { trigger: Trigger; createdMs: number }[] = []
  const now = () => ({ timeMs: NOON_MS + made.nowMs, monotonicMs: kernelUpMs + made.nowMs, bootId: BOOT })
  const options: TriggersOptions = {
    config: triggersOf(more.triggers),
    parameters,
    now,
    bootStartMs: NOON_MS - upMs,
    tell: (event) => void made.told.push(event),
    query: async ({ typePrefix }) => (made.recorded.has(typePrefix!) ? [{}] : []),
    newest: async () => made.measurement,
    log: { warn: (_fields, message) => void made.warned.push(message) },
    uploads: {
      async request(wish) {
        if (made.refusal) throw made.refusal
        made.wishes.push(wish)
        rows.push({ trigger: wish.trigger, createdMs: now().timeMs })
        return { id: rows.length, ...wish } as unknown as UploadRecord
      },
      async fired(trigger, sinceMs) {
        const found = rows.filter((row) => row.trigger === trigger && row.createdMs >= sinceMs)
        return { count: found.length, lastMs: found.at(-1)?.createdMs }
      },
    },
  }
  let triggers: Triggers | undefined
  const made: Bench = {
    wishes: [],
    told: [],
    warned: [],
    nowMs: 0,
    measurement: undefined,
    refusal: undefined,
    recorded: new Set(),
    get triggers() {
      return (triggers ??= createTriggers(options))
    },
    event: (type, more = {}) => ({
      timeMs: now().timeMs,
      monotonicMs: now().monotonicMs,
      bootId: BOOT,
      source: 'systemd',
      type,
      level: 'error',
      subject: '',
      message: `it is ${type}`,
      ...more,
    }),
    async heard(...events) {
      made.triggers.heard(events)
      await made.triggers.idle()
    },
    restart() {
      triggers = createTriggers(options)
    },
    asked: () => made.wishes.map(({ trigger }) => trigger),
  }
  made.restart()
  return made
}
