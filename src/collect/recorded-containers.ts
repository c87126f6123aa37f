/** What is kept of containers on this machine, as bundles, `GET /containers` and the logs get at it: through the daemon that follows them, or beside one. */
import type { Engine, Kit } from '../collector.ts'
import type { KeptContainer, KeptContainers } from '../record/containers/container.ts'
import type { OpenedPieces } from '../sources/masked-segment.ts'
import { Description } from './artifact.ts'
import { inTime, type RecordedContext } from './recorded.ts'
import type { BundleRequest } from './types.ts'

export type JoinedEngine = Pick<Engine, 'socket' | 'kind'>

export interface ContainersRecorded extends KeptContainers {
  /** Resolves when what engines handed over by now can be read; at once where nobody follows them. Never rejects. */
  flush(): Promise<void>
  /**
   * What a segment must have been masked with to be handed over as it is: these rules, and when at least so many values were known.
   * `values` is Infinity when one of `live` was never looked for; `rules` is undefined when there is no telling.
   */
  maskedWith(live: readonly string[]): Promise<{ readonly rules: string | undefined; readonly values: number }>
  /**
   * The log of one within the window: what is stored, and what the engine has besides, each line once. `engine`: the one that has the container, where
   * it answers.
   */
  open(container: KeptContainer, engine: JoinedEngine | undefined, ctx: RecordedContext): Promise<OpenedPieces>
  /** Where it is, for people. */
  readonly origin: string
}

export const NOTHING_KEPT: ContainersRecorded = {
  list: async () => [],
  async *log() {},
  document: async () => undefined,
  flush: async () => {},
  maskedWith: async () => ({ rules: undefined, values: Infinity }),
  open: () => Promise.reject(new Error('nothing is kept')),
  origin: 'containers',
}

export function containersOf(
  recorded: ContainersRecorded,
  { unmasked }: Pick<BundleRequest, 'unmasked'>,
  ctx: RecordedContext,
): Kit['containers'] {
  return {
    async kept() {
      await inTime(recorded.flush(), recorded.origin, ctx).catch(() => {})
      return inTime(recorded.list(), recorded.origin, ctx)
    },
    async inspect(container) {
      const document = await inTime(recorded.document(container, 'inspect.json'), container.folder, ctx)
      if (!document) throw new Error('nobody inspected it as long as it was there')
      return JSON.parse(document.toString()) as unknown
    },
    log(container, engine) {
      // What is stored was masked, and stays so. As long as the engine has it, it has it as it was written.
      if (unmasked && engine)
        return new Description({ kind: 'engine-log', socket: engine.socket, containerId: container.id, tty: false })
      const origin = engine
        ? `${container.folder} unix:${engine.socket} /containers/${container.id}/logs`
        : container.folder
      return new Description({ kind: 'kept-log', origin, open: (opening) => recorded.open(container, engine, opening) })
    },
  }
}
