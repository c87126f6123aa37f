/** How many bytes a collector and the bundle may still write. */
import type { Limits } from './types.ts'

export class Budget {
  readonly #limits: Limits
  readonly #collectors = new Map<string, number>()
  #bundle = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Bytes that an entry of this collector, which has so many, may still have, and which limit says so. */
  room(collector: string, entryHas = 0): { bytes: number; limit: string } {
    const { entryBytes, collectorBytes, bundleBytes } = this.#limits
    const rooms = [
      { bytes: entryBytes - entryHas, limit: `${entryBytes} bytes per entry` },
      {
        bytes: collectorBytes - (this.#collectors.get(collector) ?? 0),
        limit: `${collectorBytes} bytes per collector`,
      },
      { bytes: bundleBytes - this.#bundle, limit: `${bundleBytes} bytes per bundle` },
    ]
    return rooms.reduce((least, room) => (room.bytes < least.bytes ? room : least))
  }

  take(collector: string, bytes: number): void {
    this.#collectors.set(collector, (this.#collectors.get(collector) ?? 0) + bytes)
    this.#bundle += bytes
  }
}
