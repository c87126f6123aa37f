/** What a command wrote to stderr: its first and last 8 KiB, and how much lay between. */

/** Enough for the sentence that explains, too little for a flood to matter. */
const KEPT_BYTES = 8 * 1024

export class StderrKeeper {
  #head = Buffer.alloc(0)
  #tail = Buffer.alloc(0)
  #totalBytes = 0

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length
    const toHead = Math.min(KEPT_BYTES - this.#head.length, chunk.length)
    if (toHead > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, toHead)])
    if (toHead < chunk.length) this.#keepNewest(chunk.subarray(toHead))
  }

  text(): string {
    const leftOut = this.#totalBytes - this.#head.length - this.#tail.length
    const hole = leftOut > 0 ? `\n… diagd: ${leftOut} bytes of stderr left out here …\n` : ''
    return this.#head.toString() + hole + this.#tail.toString()
  }

  /** Copies, so that a small tail does not hold a large chunk in memory. */
  #keepNewest(rest: Buffer): void {
    const older = this.#tail.subarray(Math.max(0, this.#tail.length + rest.length - KEPT_BYTES))
    this.#tail = Buffer.concat([older, rest.subarray(Math.max(0, rest.length - KEPT_BYTES))])
  }
}
