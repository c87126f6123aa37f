/** Bundles at once: beyond the limit one waits outside, so that asking never becomes the incident. */
import type { Door } from './door.ts'

export interface Places {
  readonly running: number
  readonly limit: number
  /** Gives the function that gives the place back, undefined when there is none free. */
  take(door: Door): (() => void) | undefined
  /** Resolves when nothing runs (at once when nothing does). */
  idle(): Promise<void>
}

/** One more than the limit is kept for the local door: an engineer on the machine gets in when a control plane hogs it. */
export function createPlaces(limit: number): Places {
  let running = 0
  let waiting: (() => void)[] = []
  return {
    limit,
    get running() {
      return running
    },
    take(door) {
      if (running >= (door === 'local' ? limit + 1 : limit)) return undefined
      running += 1
      return () => {
        running -= 1
        if (running > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      }
    },
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
