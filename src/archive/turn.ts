/** A lock passed on in the order it was asked for: one entry at a time is written into the archive. */
export class Turn {
  #last: Promise<void> = Promise.resolve()
  #held = 0

  get free(): boolean {
    return this.#held === 0
  }

  /** Resolves with the release of the lock once all earlier holders have released it. */
  async take(): Promise<() => void> {
    this.#held++
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = promise
    await before
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held--
      resolve()
    }
  }
}
