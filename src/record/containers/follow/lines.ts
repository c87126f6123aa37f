/** Lines of a stream, as they become whole. */

/** A line of /events is a few kB: labels are in it. */
const LINE_BYTES = 1024 * 1024

export class Lines {
  readonly #tell: (line: string) => void
  #held = Buffer.alloc(0)

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  push(bytes: Buffer): void {
    const all = Buffer.concat([this.#held, bytes])
    let from = 0
    for (let end = all.indexOf(0x0a); end !== -1; end = all.indexOf(0x0a, from)) {
      this.#tell(all.toString('utf8', from, end))
      from = end + 1
    }
    this.#held = all.length - from > LINE_BYTES ? Buffer.alloc(0) : all.subarray(from)
  }
}
