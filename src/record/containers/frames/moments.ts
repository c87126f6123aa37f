/** The earliest and the latest of many moments, to the nanosecond: a number alone cannot hold one. */
export class Moments {
  #fromNanos = 0
  #fromSeconds = Infinity
  #toNanos = 0
  #toSeconds = -Infinity

  add(seconds: number, nanos: number): void {
    if (seconds < this.#fromSeconds || (seconds === this.#fromSeconds && nanos < this.#fromNanos)) {
      this.#fromSeconds = seconds
      this.#fromNanos = nanos
    }
    if (seconds > this.#toSeconds || (seconds === this.#toSeconds && nanos > this.#toNanos)) {
      this.#toSeconds = seconds
      this.#toNanos = nanos
    }
  }

  /** As CRI text writes it; undefined when there was none. */
  get earliest(): string | undefined {
    return this.#fromSeconds === Infinity ? undefined : stampOf(this.#fromSeconds, this.#fromNanos)
  }

  get latest(): string | undefined {
    return this.#toSeconds === -Infinity ? undefined : stampOf(this.#toSeconds, this.#toNanos)
  }

  clear(): void {
    this.#fromSeconds = Infinity
    this.#toSeconds = -Infinity
  }
}

/** `2026-11-21T16:47:23.187458123Z`. */
export function stampOf(seconds: number, nanos: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 20)}${String(nanos).padStart(9, '0')}Z`
}
