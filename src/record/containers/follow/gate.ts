/**
 * Whether an engine may be asked now. On a machine where systemd holds the socket, connecting to an engine that is being stopped would start it again; and
 * when an engine stops, all that is asked of it ends at once, and each follower would ask why.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { engineListens } from '../../../sources/engine-held.ts'
import { SourceError, type SourceContext } from '../../../sources/source.ts'

/** It said something so short a time ago: it is there. */
const SURE_MS = 1000
/** Where it cannot be told who holds the socket: the end of one connection, and the end of all, are some milliseconds apart. */
const ENDING_MS = 1000

export class EngineGate {
  readonly #ctx: SourceContext
  readonly #socket: string
  /** Somebody said to use it, whoever holds it. */
  readonly #named: boolean
  #sureAtMs = -Infinity
  #endedAtMs = -Infinity

  constructor(ctx: SourceContext, socket: string, named: boolean) {
    this.#ctx = ctx
    this.#socket = socket
    this.#named = named
  }

  /** The engine said something. */
  sure(): void {
    this.#sureAtMs = performance.now()
  }

  /** It ended something that was to go on. */
  ended(): void {
    this.#sureAtMs = -Infinity
    this.#endedAtMs = performance.now()
  }

  /** @throws SourceError when it must not be asked. */
  async pass(): Promise<void> {
    if (this.#named || performance.now() - this.#sureAtMs < SURE_MS) return
    const listens = await engineListens(this.#ctx, this.#socket)
    if (listens === false)
      throw new SourceError(
        'skipped',
        `nobody but systemd listens on ${this.#socket}: the engine starts, or is being stopped`,
      )
    const waitMs = ENDING_MS - (performance.now() - this.#endedAtMs)
    if (listens === undefined && waitMs > 0) await delay(waitMs, undefined, { signal: this.#ctx.signal })
    else this.sure()
  }
}
