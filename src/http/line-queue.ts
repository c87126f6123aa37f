/** Lines on their way to one reader. Bounded: when the reader is too slow the oldest are dropped, counted, and told of in their place. */

/** So much is kept for a reader that is behind: some seconds of a busy machine. */
const MOST_LINES = 2000
const MOST_BYTES = 1024 * 1024
/** What is said besides lines is rare; a reader that takes nothing does not fill the memory by it either. */
const MOST_SAID = 100

interface Queued {
  readonly time: string
  readonly text: string
}

interface Hole {
  count: number
  bytes: number
  readonly from: string
  to: string
}

export class LineQueue {
  /** Lines that were handed over, and such that were not. */
  taken = 0
  dropped = 0
  #lines: Queued[] = []
  #bytes = 0
  #said: string[] = []
  /** Before the oldest line that is kept. */
  #hole: Hole | undefined
  #closed = false
  #changed = Promise.withResolvers<void>()
  #taking = Promise.withResolvers<void>()

  get closed(): boolean {
    return this.#closed
  }

  /** What was put in before is still to be taken. */
  close(): void {
    this.#closed = true
    this.#changed.resolve()
    this.#taking.resolve()
  }

  push(time: string, text: string): void {
    this.#lines.push({ time, text })
    this.#bytes += text.length
    while (this.#lines.length > MOST_LINES || (this.#bytes > MOST_BYTES && this.#lines.length > 1)) this.#drop()
    this.#changed.resolve()
  }

  /** An event or a comment, before the lines that wait. */
  say(text: string): void {
    if (this.#said.length < MOST_SAID) this.#said.push(text)
    this.#changed.resolve()
  }

  /** A comment, where nothing else is on its way. */
  heartbeat(): void {
    if (this.#lines.length === 0 && this.#said.length === 0) this.say(': still here\n\n')
  }

  /** Resolves when half of the room is free. */
  async room(): Promise<void> {
    while (!this.#closed && (this.#lines.length > MOST_LINES / 2 || this.#bytes > MOST_BYTES / 2))
      await this.#taking.promise
  }

  /** At least one thing, and about `bytes` of them; undefined when it is closed and empty. */
  async take(bytes: number): Promise<string | undefined> {
    while (this.#said.length === 0 && this.#lines.length === 0) {
      if (this.#closed) return undefined
      this.#changed = Promise.withResolvers()
      await this.#changed.promise
    }
    let text = this.#said.splice(0).join('')
    if (this.#hole) {
      text += `event: dropped\ndata: ${JSON.stringify(this.#hole)}\n\n`
      this.#hole = undefined
    }
    let count = 0
    for (; count < this.#lines.length && text.length < bytes; count++) text += this.#lines[count]!.text
    for (const line of this.#lines.splice(0, count)) this.#bytes -= line.text.length
    this.taken += count
    this.#taking.resolve()
    this.#taking = Promise.withResolvers()
    return text
  }

  #drop(): void {
    const { time, text } = this.#lines.shift()!
    this.#bytes -= text.length
    this.dropped += 1
    this.#hole ??= { count: 0, bytes: 0, from: time, to: time }
    this.#hole.count += 1
    this.#hole.bytes += text.length
    this.#hole.to = time
  }
}
