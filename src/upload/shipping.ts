/** Uploads as the daemon has them: outbox and triggers started, told of and closed together. */
import type { UploadsPart } from '../http/uploads.ts'
import type { NewEvent } from '../record/events/event.ts'
import type { FamilySample } from '../record/metrics/families.ts'
import { silentWarning, type SilentTrigger } from './due/silent.ts'
import type { Triggers } from './due/triggers.ts'
import type { UploadCounts, Uploads } from './upload.ts'

export interface Shipping {
  /** For the routes. */
  readonly part: UploadsPart
  /** Opens the outbox, in the background, and listens from now on. */
  start(): void
  /** For people: what is as the configuration wants it, and perhaps not as somebody expects. */
  readonly warnings: readonly string[]
  /** Times as ISO 8601. */
  health(): ShippingHealth
  counts(): UploadCounts
  /** What triggers wanted and did not get. */
  heldBack(): readonly FamilySample[]
  /** @param mostMs then nobody waits for it any more. */
  close(mostMs?: number): Promise<void>
}

interface ShippingHealth {
  readonly state: string
  readonly waiting: number
  readonly running: boolean
  readonly nextTry?: string
  readonly pausedSince?: string
  readonly lastUploaded?: string
  readonly nextScheduled?: string
  /** Missing where all can fire. */
  readonly silentTriggers?: readonly SilentTrigger[]
  readonly problems: readonly string[]
}

export interface ShippingOptions {
  readonly uploads: Uploads
  readonly triggers: Triggers
  readonly parameters: UploadsPart['parameters']
  /** What the triggers listen to is switched off. */
  readonly silent: readonly SilentTrigger[]
  /** What is wrong with the configuration, as far as it shows only now. */
  readonly problem: string | undefined
  /** Hands over what is stored. */
  readonly listen: (listener: (events: readonly NewEvent[]) => void) => void
  readonly masked: UploadsPart['masked']
  readonly tickMs?: number
}

/** As often as there is a sample. */
const TICK_MS = 10_000

export function createShipping(options: ShippingOptions): Shipping {
  const { uploads, triggers, parameters, silent, problem, listen, masked, tickMs = TICK_MS } = options
  const warning = silentWarning(silent)
  let timer: NodeJS.Timeout | undefined
  let closed = false
  return {
    part: { uploads, triggers, parameters, masked },
    warnings: warning === undefined ? [] : [warning],
    start() {
      uploads.start()
      listen((events) => {
        if (!closed) triggers.heard(events)
      })
      timer = setInterval(() => void triggers.tick(), tickMs).unref()
    },
    health() {
      const { problems, nextTryMs, pausedSinceMs, lastUploadedMs, nextScheduledMs, ...facts } = uploads.health()
      return {
        ...facts,
        ...timed('nextTry', nextTryMs),
        ...timed('pausedSince', pausedSinceMs),
        ...timed('lastUploaded', lastUploadedMs),
        ...timed('nextScheduled', nextScheduledMs),
        ...(silent.length === 0 ? {} : { silentTriggers: silent }),
        problems: problem === undefined ? problems : [problem, ...problems],
      }
    },
    counts: () => uploads.counts(),
    heldBack: () => triggers.heldBack(),
    async close(mostMs) {
      closed = true
      clearInterval(timer)
      triggers.close()
      await uploads.close(mostMs)
    },
  }
}

function timed<Name extends string>(name: Name, timeMs: number | undefined): Partial<Record<Name, string>> {
  return timeMs === undefined ? {} : ({ [name]: new Date(timeMs).toISOString() } as Record<Name, string>)
}
