/** Looks at the machine every some seconds, beside the database: nothing has to be sent anywhere, and no event loop waits. */
import type { Beside, Resident } from '../store/resident.ts'
import type { KeptSample, LastSample } from './database/write.ts'
import type { Reading, Subject } from './metric.ts'
import type { Thresholds } from './read/pressed.ts'
import type { Values } from './read/reader.ts'
import { createSampler, type SamplerOptions } from './sampler.ts'

export interface SamplingSettings {
  readonly intervalMs: number
  /** undefined: only what is given is kept. */
  readonly sampling?:
    | {
        readonly pressure: Thresholds
        /** Where /proc and /sys are found: '' on the machine itself. */
        readonly root: string
      }
    | undefined
}

/** What other threads know. */
export interface Hints {
  /** By the first 12 digits of their ids. */
  readonly containerNames?: Readonly<Record<string, string>>
  /** Numbers of diagd, by the names of the catalogue. */
  readonly own?: Values
}

/** Counters and gauges of a sample. */
export type Newest = Pick<Reading, 'timeMs' | 'monotonicMs' | 'rows'>

/** Verbs besides those of the database, in the form of those. */
export type SamplingVerbs = {
  /** A look that is not kept: all counters, as they are now. */
  readonly reading: (db: unknown, argument: undefined) => Reading
  readonly hint: (db: unknown, hints: Hints) => void
  /** What the newest sample found of these; undefined before the first. */
  readonly newest: (db: unknown, subjects: readonly Subject[]) => Newest | undefined
}

export function createSampling({ sampling, intervalMs }: SamplingSettings, beside: Beside): Resident | undefined {
  if (!sampling) return undefined
  let hints: Hints = {}
  const options: SamplerOptions = {
    ...sampling,
    intervalMs,
    containerName: (id) => hints.containerNames?.[id],
    own: () => hints.own ?? {},
  }
  const kept = createSampler({ ...options, last: beside.read('lastSample', undefined) as LastSample | undefined })
  // What some readers tell is of the time since they were asked before.
  const asked = createSampler(options)
  let timer: NodeJS.Timeout
  const look = () => {
    const { sample, reading } = kept.sample()
    beside.write('append', { ...sample, boottimeMs: reading.boottimeMs } satisfies KeptSample)
    timer = setTimeout(look, delayMs(intervalMs))
  }
  timer = setTimeout(look, 0)
  return {
    verbs: {
      reading: () => asked.sample().reading,
      hint(more: Hints) {
        hints = { ...hints, ...more }
      },
      newest(subjects: readonly Subject[]) {
        const reading = kept.latest()
        if (!reading) return undefined
        const { timeMs, monotonicMs, rows } = reading
        return { timeMs, monotonicMs, rows: rows.filter(({ subject }) => subjects.includes(subject)) } satisfies Newest
      },
    },
    close: () => clearTimeout(timer),
  }
}

/** At multiples of the interval, so that each minute has as many samples; timers come a little early. */
function delayMs(intervalMs: number): number {
  const untilNextMs = intervalMs - (Date.now() % intervalMs)
  return untilNextMs < intervalMs / 2 ? untilNextMs + intervalMs : untilNextMs
}
