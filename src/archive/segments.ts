/**
 * Raw bytes in pieces of a fixed size, compressed several at once off the main thread.
 *
 * Buffers are recycled: what is in flight is a handful of them, whatever the length of the source and the mood of
 * the garbage collector.
 */
import { availableParallelism } from 'node:os'
import zlib from 'node:zlib'
import type { Codec } from './codec.ts'

/**
 * Large enough that a piece without a dictionary of its predecessor loses nothing on logs, and that the event loop hands out
 * few of them (docs/decisions/0001).
 */
export const SEGMENT_BYTES = 1024 * 1024

/** A compressed piece of the stream, which can stand anywhere in it. */
export interface Segment {
  readonly bytes: Buffer
  /** Length and CRC-32 of what was compressed; the CRC is 0 where the format has no use for it. */
  readonly lengthBytes: number
  readonly crc32: number
}

/** Free buffers kept for the next piece; more than this go back to the allocator. */
const KEPT_BUFFERS = 8

export class Compressor {
  readonly #codec: Codec
  readonly #free: Buffer[] = []
  readonly #waiting: (() => void)[] = []
  /** One more than there are cores, so that none waits for the event loop to hand out the next piece (docs/decisions/0001). */
  #slots = availableParallelism() + 1

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** Whether what was deflated elsewhere can stand between its segments. */
  get splices(): boolean {
    return this.#codec.splices
  }

  /** A buffer of SEGMENT_BYTES to fill; it comes back by `compress` or `recycle`. */
  buffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES)
  }

  recycle(buffer: Buffer): void {
    if (this.#free.length < KEPT_BUFFERS) this.#free.push(buffer)
  }

  /** Nothing is compressed any more. */
  close(): void {
    this.#codec.close()
  }

  /** Resolves when a core is free: the promise inside is the segment to come. Takes the buffer over. */
  async compress(buffer: Buffer, lengthBytes: number): Promise<{ segment: Promise<Segment> }> {
    if (this.#slots === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#slots--
    const segment = this.#run(buffer, lengthBytes)
    // Whoever awaits it later sees the failure; until then it is not an unhandled one.
    segment.catch(() => {})
    return { segment }
  }

  async #run(buffer: Buffer, lengthBytes: number): Promise<Segment> {
    const piece = buffer.subarray(0, lengthBytes)
    try {
      const bytes = await this.#codec.compress(piece)
      return { bytes, lengthBytes, crc32: this.#codec.summed ? zlib.crc32(piece) : 0 }
    } finally {
      this.recycle(buffer)
      // A slot passes on to whoever waits longest, else it is free again.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#slots++
    }
  }
}
