/** Bytes put together without a buffer for each: CRI text on its way to the mask. */

const FIRST_BYTES = 4096

export class TextBuilder {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies `bytes[start, end)`. */
  add(bytes: Buffer, start = 0, end = bytes.length): void {
    const length = end - start
    this.#reserve(length)
    // For what is short a call into the engine takes longer than the copy.
    if (length < 48)
      for (let index = 0; index < length; index++) this.#bytes[this.#length + index] = bytes[start + index]!
    else bytes.copy(this.#bytes, this.#length, start, end)
    this.#length += length
  }

  addByte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  /** The last of it, good until the next `add`. */
  last(bytes: number): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#length - bytes), this.#length)
  }

  /** All of it, good until the next `add`; then it is empty. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    return taken
  }

  /** Lets go of memory that a burst took; what `take` gave stays good. */
  shrink(): void {
    if (this.#length === 0 && this.#bytes.length > FIRST_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
