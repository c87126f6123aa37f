/** How long a peer is waited for. */
import { SourceError, type SourceLimits } from './source.ts'

/** A longer timer fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** Waits no longer than the limits allow, and counts nothing while nobody waits: a slow reader is not a late source. */
export class HttpPatience {
  readonly origin: string
  readonly #stallMs: number
  readonly #wholeMs: number
  #spentMs = 0

  constructor(
    origin: string,
    { stream, timeoutMs }: { readonly stream?: boolean; readonly timeoutMs?: number },
    { commandMs, stallMs }: SourceLimits,
  ) {
    this.origin = origin
    this.#stallMs = timeoutMs ?? stallMs
    this.#wholeMs = timeoutMs ?? (stream ? Infinity : commandMs)
  }

  async wait<T>(next: Promise<T>, expire: (late: SourceError) => void): Promise<T> {
    const leftMs = Math.max(0, this.#wholeMs - this.#spentMs)
    const why =
      leftMs < this.#stallMs ? `was not complete after ${this.#wholeMs} ms` : `said nothing for ${this.#stallMs} ms`
    const expired = () => expire(new SourceError('timeout', `${this.origin} ${why}`))
    const timer = setTimeout(expired, Math.min(leftMs, this.#stallMs, longestTimerMs))
    const startedMs = performance.now()
    try {
      return await next
    } finally {
      clearTimeout(timer)
      this.#spentMs += performance.now() - startedMs
    }
  }
}
