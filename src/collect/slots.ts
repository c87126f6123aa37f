/** How much runs at once. A job that turns out late gives its place up, so that one hung command holds nobody. */
import type { Pressure } from './pressure.ts'

/** Sources read side by side. They wait more than they work; compression has its own bound. */
const SLOTS = 4

/** Late jobs that may run besides. Beyond it a late job keeps its place, so that their number stays bounded. */
const LATE_JOBS = 16

export class Slots {
  readonly #pressure: Pressure
  #running = 0
  #late = 0
  readonly #waiting: (() => void)[] = []

  constructor(pressure: Pressure) {
    this.#pressure = pressure
  }

  /** Resolves when there is a place. */
  async take(): Promise<Place> {
    while (this.#running >= this.#limit()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    let state: 'running' | 'late' | 'gone' = 'running'
    return {
      late: () => {
        if (state !== 'running' || this.#late >= LATE_JOBS) return
        state = 'late'
        this.#late++
        this.#leave()
      },
      release: () => {
        if (state === 'late') this.#late--
        else if (state === 'running') this.#leave()
        state = 'gone'
      },
    }
  }

  #limit(): number {
    return this.#pressure.high() ? 1 : SLOTS
  }

  #leave(): void {
    this.#running--
    this.#waiting.shift()?.()
  }
}

export interface Place {
  late(): void
  release(): void
}
