/** Values that were found to be secret while diagd ran. What is recorded from then on, or told of what was, is masked with them. */
export interface SeenValues {
  add(values: readonly string[]): void
  /** The newest first. */
  newest(): string[]
  /** Changes with every value that was not known. */
  readonly version: number
}

/** As many as are looked for (live.ts); the oldest are forgotten. */
const MOST = 10_000

export function createSeenValues(most = MOST): SeenValues {
  const seen = new Set<string>()
  let version = 0
  return {
    add(values) {
      for (const value of values) {
        if (!seen.delete(value)) version += 1
        seen.add(value)
      }
      for (const oldest of seen) {
        if (seen.size <= most) break
        seen.delete(oldest)
      }
    },
    newest: () => [...seen].toReversed(),
    get version() {
      return version
    },
  }
}
