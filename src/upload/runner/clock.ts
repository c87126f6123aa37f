/** The time, and being called at one. */
export interface Clock {
  /** Milliseconds since 1970; can be set, forward and back. */
  now(): number
  /** Calls once, then or earlier: who is called looks at the clock again. Gives what takes it back. */
  at(timeMs: number, call: () => void): () => void
}

/** A clock that was set, and a machine that slept, are noticed within that time. */
const LOOK_MS = 60_000

/** Keeps no process alive. */
export const WALL_CLOCK: Clock = {
  now: Date.now,
  at(timeMs, call) {
    const timer = setTimeout(call, Math.min(Math.max(0, timeMs - Date.now()), LOOK_MS)).unref()
    return () => clearTimeout(timer)
  },
}
