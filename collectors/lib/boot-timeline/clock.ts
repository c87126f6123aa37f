/** From the wall clock to the monotonic one and back, by moments known by both. No I/O. */
import type { ClockPair, ClockStep } from './types.ts'

export interface BootClock {
  /** undefined when nothing is known by both clocks. */
  toMonotonic(wallMs: number): number | undefined
  /** ISO 8601, as the wall clock went then. */
  toWall(monotonicMs: number): string | null
  /** How far the nearest moment known by both clocks is from this one; Infinity when there is none. */
  distanceMs(wallMs: number): number
  readonly steps: readonly ClockStep[]
}

/** What two clocks of one machine drift apart, or NTP slews, between two lines of a journal is far less. */
const STEP_MS = 1000

/** `sleepsMs`: monotonic times at which the machine fell asleep; the monotonic clock stands still then. */
export function bootClock(known: readonly ClockPair[], sleepsMs: readonly number[] = []): BootClock {
  const byMonotonic = known.toSorted((a, b) => a.monotonicMs - b.monotonicMs)
  const byWall = known.toSorted((a, b) => a.wallMs - b.wallMs)
  return {
    toMonotonic: (wallMs) => {
      const pair = nearest(byWall, wallMs, 'wallMs')
      return pair && pair.monotonicMs + (wallMs - pair.wallMs)
    },
    toWall: (monotonicMs) => {
      const pair = nearest(byMonotonic, monotonicMs, 'monotonicMs')
      return pair ? isoTime(pair.wallMs + (monotonicMs - pair.monotonicMs)) : null
    },
    distanceMs: (wallMs) => {
      const pair = nearest(byWall, wallMs, 'wallMs')
      return pair ? Math.abs(pair.wallMs - wallMs) : Infinity
    },
    steps: clockSteps(byMonotonic, sleepsMs),
  }
}

function clockSteps(byMonotonic: readonly ClockPair[], sleepsMs: readonly number[]): ClockStep[] {
  return byMonotonic.flatMap((pair, at) => {
    const before = byMonotonic[at - 1]
    if (!before) return []
    const byMs = Math.round(pair.wallMs - pair.monotonicMs - (before.wallMs - before.monotonicMs))
    if (Math.abs(byMs) < STEP_MS) return []
    const slept = byMs > 0 && sleepsMs.some((ms) => ms >= before.monotonicMs && ms <= pair.monotonicMs)
    return [{ atMs: pair.monotonicMs, byMs, slept }]
  })
}

/** By binary search: a boot may have thousands of lines, and each step asks. */
function nearest(sorted: readonly ClockPair[], value: number, key: keyof ClockPair): ClockPair | undefined {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]![key] < value) low = middle + 1
    else high = middle
  }
  const [before, after] = [sorted[low - 1], sorted[low]]
  if (!before || !after) return before ?? after
  return value - before[key] <= after[key] - value ? before : after
}

/** What no calendar has is no time. */
function isoTime(wallMs: number): string | null {
  return Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString() : null
}
