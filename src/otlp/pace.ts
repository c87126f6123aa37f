/** How long one waits before the next try: longer each time, up to a limit, and never all of a fleet at the same moment. */

const FIRST_MS = 1000
const MOST_MS = 60_000
/** A collector may ask for patience; not for more than this. */
const MOST_ASKED_MS = 600_000

export interface Pace {
  /** After another failure. @param askedMs what the collector asked for. */
  later(askedMs?: number): number
  well(): void
}

export function createPace(random = Math.random): Pace {
  let nextMs = FIRST_MS
  return {
    later(askedMs = 0) {
      const ownMs = nextMs * (0.5 + random() / 2)
      nextMs = Math.min(nextMs * 2, MOST_MS)
      return Math.max(ownMs, Math.min(askedMs, MOST_ASKED_MS))
    },
    well: () => void (nextMs = FIRST_MS),
  }
}
