/** What is kept of containers on this machine, as bundles, `GET /containers` and the logs get at it: through the daemon that follows them, or beside one. */
import type { KeptContainers } from '../record/containers/container.ts'

export interface ContainersRecorded extends KeptContainers {
  /** Resolves when what engines handed over by now can be read; at once where nobody follows them. Never rejects. */
  flush(): Promise<void>
  /**
   * What a segment must have been masked with to be handed over as it is: these rules, and when at least so many values were known.
   * `values` is Infinity when one of `live` was never looked for; `rules` is undefined when there is no telling.
   */
  maskedWith(live: readonly string[]): Promise<{ readonly rules: string | undefined; readonly values: number }>
  /** Where it is, for people. */
  readonly origin: string
}

export const NOTHING_KEPT: ContainersRecorded = {
  list: async () => [],
  async *log() {},
  document: async () => undefined,
  flush: async () => {},
  maskedWith: async () => ({ rules: undefined, values: Infinity }),
  origin: 'containers',
}
