/** The memory of the parts that are under way, used again and again: there is never more of it. */

/** Parts of 8 MiB: one that is filled and three that are sent. Larger ones are fewer. */
const HELD_BYTES = 32 * 1024 * 1024

export interface Buffers {
  /** Waits until there is room. */
  take(bytes: number): Promise<Buffer>
  giveBack(buffer: Buffer): void
}

/** At least one at a time, whatever its size. */
export function createBuffers(over: AbortSignal): Buffers {
  const idle: Buffer[] = []
  const waiting = new Set<() => void>()
  let takenBytes = 0
  const wake = () => {
    for (const go of waiting) go()
    waiting.clear()
  }
  over.addEventListener('abort', wake)
  return {
    async take(bytes) {
      while (takenBytes > 0 && takenBytes + bytes > HELD_BYTES && !over.aborted)
        await new Promise<void>((resolve) => waiting.add(resolve))
      over.throwIfAborted()
      takenBytes += bytes
      const again = idle.pop()
      if (again?.length === bytes) return again
      // Of another size: parts have grown, and none of the smaller ones comes again.
      idle.length = 0
      return Buffer.allocUnsafeSlow(bytes)
    },
    giveBack(buffer) {
      takenBytes -= buffer.length
      idle.push(buffer)
      wake()
    },
  }
}
