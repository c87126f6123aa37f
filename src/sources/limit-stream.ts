/** The limit of what cannot be sought in: its beginning as far as it fits, and the newest bytes held back in memory. */
import { holeNote, overLimit } from './pieces.ts'

/** What of the newest is kept when a stream is over its limit: the memory it costs. */
const newestBytes = 4 * 1024 * 1024
const noteBytes = 160

/** Passes a stream on until only room for the newest bytes is left, and those at the end. */
export class StreamLimit {
  /** Bytes that were left out. */
  cutBytes = 0
  readonly #entryBytes: number
  readonly #newestBytes: number
  #room: number
  #newest: Buffer[] = []
  #heldBytes = 0

  constructor(entryBytes: number) {
    this.#entryBytes = entryBytes
    this.#newestBytes = Math.min(newestBytes, Math.floor(entryBytes / 2))
    this.#room = Math.max(0, entryBytes - this.#newestBytes - noteBytes)
  }

  *push(chunk: Buffer): Generator<Buffer> {
    if (chunk.length <= this.#room) {
      this.#room -= chunk.length
      yield chunk
      return
    }
    if (this.#room > 0) {
      // The last line that is whole; the line it would have cut goes with the newest.
      const end = chunk.lastIndexOf(10, this.#room - 1) + 1
      this.#room = 0
      if (end > 0) yield chunk.subarray(0, end)
      this.#hold(chunk.subarray(end))
    } else this.#hold(chunk)
  }

  *end(): Generator<Buffer> {
    if (this.cutBytes === 0) {
      yield* this.#newest
      return
    }
    const held = Buffer.concat(this.#newest)
    const start = held.subarray(0, -1).indexOf(10) + 1
    this.cutBytes += start
    yield holeNote(this.cutBytes, overLimit(this.#entryBytes)).note
    if (start < held.length) yield held.subarray(start)
  }

  #hold(chunk: Buffer): void {
    this.#newest.push(chunk)
    this.#heldBytes += chunk.length
    while (this.#heldBytes > this.#newestBytes) {
      const over = this.#heldBytes - this.#newestBytes
      const oldest = this.#newest[0] ?? Buffer.alloc(0)
      const dropped = Math.min(over, oldest.length)
      if (dropped === oldest.length) this.#newest.shift()
      else this.#newest[0] = oldest.subarray(dropped)
      this.#heldBytes -= dropped
      this.cutBytes += dropped
    }
  }
}
