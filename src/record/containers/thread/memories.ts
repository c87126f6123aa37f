/** Memory that both threads see, in pieces of one size: what comes in is copied there once, and becomes garbage in neither. */

export interface Memory {
  readonly id: number
  readonly bytes: Buffer
  readonly shared: SharedArrayBuffer
}

export const MEMORY_BYTES = 64 * 1024
/** All together 3 MiB: a tenth of a second of the fastest engine. */
const MOST_MEMORIES = 48

export class Memories {
  readonly #all: Memory[] = []
  readonly #free: Memory[] = []

  /** undefined: all are in use. */
  take(): Memory | undefined {
    return this.#free.pop() ?? (this.#all.length < MOST_MEMORIES ? this.#make() : undefined)
  }

  give(id: number): void {
    this.#free.push(this.#all[id]!)
  }

  /** All that the other thread has to know. */
  get all(): readonly Memory[] {
    return this.#all
  }

  /** Nobody needs them for now. */
  clear(): void {
    this.#all.length = 0
    this.#free.length = 0
  }

  #make(): Memory {
    const shared = new SharedArrayBuffer(MEMORY_BYTES)
    const memory = { id: this.#all.length, bytes: Buffer.from(shared), shared }
    this.#all.push(memory)
    return memory
  }
}
