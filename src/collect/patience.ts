/** Counts the time spent waiting for a source; a slow client's time is nobody's fault and does not count. */
export class Patience {
  #leftMs: number
  readonly #onLate: () => void
  #late = false

  constructor(limitMs: number, onLate: () => void) {
    this.#leftMs = limitMs
    this.#onLate = onLate
  }

  /** Awaits `work`; calls `onLate` once when the waits add up to more than the limit. */
  async wait<T>(work: () => Promise<T>): Promise<T> {
    if (this.#late) return work()
    const beganMs = performance.now()
    const timer = setTimeout(() => this.#callLate(), this.#leftMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - beganMs))
    }
  }

  #callLate(): void {
    this.#late = true
    this.#onLate()
  }
}
