/** One deadline for all that has to end: what one part does not use, the next has. */

export interface Deadline {
  /** Milliseconds. */
  readonly leftMs: number
  /** Waits for it while there is time, and no longer than `mostMs`. Rejects with it. */
  wait(work: Promise<unknown> | undefined, mostMs?: number): Promise<void>
}

/** From now on. */
export function deadlineIn(milliseconds: number): Deadline {
  const untilMs = performance.now() + milliseconds
  const left = () => Math.max(0, untilMs - performance.now())
  return {
    get leftMs() {
      return left()
    },
    async wait(work, mostMs = Infinity) {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, Math.min(left(), mostMs))
      try {
        await Promise.race([work, late.promise])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
