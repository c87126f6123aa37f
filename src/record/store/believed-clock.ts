const BELIEVED_JUMP_MS = 60 * 60 * 1000

/** The time by which age is judged: the wall clock, as long as it does not run away from the monotonic one. */
export function createBelievedClock(now = Date.now, monotonic = () => performance.now()): () => number {
  const offset = now() - monotonic()
  return () => Math.min(now(), monotonic() + offset + BELIEVED_JUMP_MS)
}
