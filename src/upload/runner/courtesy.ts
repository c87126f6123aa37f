/** Uploads give way to a person who downloads, with a bound. */
import type { Clock } from './clock.ts'

export interface Places {
  readonly running: number
  idle(): Promise<void>
}

/** Of one upload. */
export interface Courtesy {
  /** Somebody downloads, and it still gives way. */
  readonly holds: boolean
  readonly sinceMs: number | undefined
  /** Resolves when nobody downloads any more, when it gave way for long enough, or with the promise. */
  wait(broken: Promise<unknown>): Promise<void>
}

/** There is no time for it. */
export const NO_COURTESY: Courtesy = { holds: false, sinceMs: undefined, wait: async () => {} }

/** Somebody who downloads without end holds an upload for so long, all in all. */
const MOST_MS = 10 * 60_000

/** @returns what makes one for each upload. */
export function createCourtesies(places: Places, clock: Clock): () => Courtesy {
  let idle: Promise<void> | undefined
  // One for all: each would be kept until nobody downloads.
  const nobody = () => (idle ??= places.idle().finally(() => (idle = undefined)))
  return () => {
    let leftMs = MOST_MS
    let sinceMs: number | undefined
    const courtesy = {
      get holds() {
        return places.running > 0 && leftMs > 0
      },
      get sinceMs() {
        return sinceMs
      },
      async wait(broken: Promise<unknown>) {
        let isBroken = false
        const off = broken.finally(() => (isBroken = true))
        while (courtesy.holds && !isBroken) {
          const beganMs = clock.now()
          sinceMs ??= beganMs
          const late = Promise.withResolvers<void>()
          const cancel = clock.at(beganMs + leftMs, late.resolve)
          await Promise.race([nobody(), late.promise, off])
          cancel()
          leftMs -= Math.max(0, clock.now() - beganMs)
        }
        sinceMs = undefined
      },
    }
    return courtesy
  }
}
