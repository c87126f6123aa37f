/**
 * A private key of many lines may begin where one mask looks and go on where another does: behind the last stored line, or before the first. Its beginning is not
 * there to know the rest by, so the rest is withheld. Where its end is there, the mask knows it by that (src/redact/rules/torn.ts).
 */
import { lineEnd, said } from './stamps.ts'

/** As a log of a container has them; what a program puts around them does not matter. */
const BEGINS = /-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----/
const ENDS = /-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----/
const ONE_LINE = /-----END/
/** So many lines of one stream that have no part of a key: it was torn, and what follows is a log. The mask counts as many. */
const MOST_MISSES = 8
const PART = /[A-Za-z0-9+/]{40}|<masked:private-key/
const MARKED = Buffer.from('PRIVATE KEY')

type Stream = 'stdout' | 'stderr'

export class KeyGuard {
  /** Keys that have begun and not ended, by stream, and how many lines in a row were no part of one. */
  readonly #open = new Map<Stream, number>()

  get isOpen(): boolean {
    return this.#open.size > 0
  }

  /** What was handed over by another mask: whether a key goes on behind it. Whole lines, of a log its last ones. */
  see(text: Buffer): void {
    for (let at = 0; at < text.length;) {
      if (!this.isOpen) {
        const marked = text.indexOf(MARKED, at)
        if (marked === -1) return
        at = text.lastIndexOf(10, marked) + 1
      }
      const end = lineEnd(text, at)
      this.#belongs(text.toString('latin1', at, end))
      at = end
    }
  }

  /** What comes behind it, in order: without the rest of such a key. */
  pass(text: Buffer): Buffer {
    if (!this.isOpen) return text
    const kept: Buffer[] = []
    let withheld = 0
    let at = 0
    while (at < text.length && this.isOpen) {
      const end = lineEnd(text, at)
      if (this.#belongs(text.toString('latin1', at, end))) withheld += 1
      else kept.push(text.subarray(at, end))
      at = end
    }
    const note =
      withheld > 0 ? [said(`${withheld} lines withheld here: a private key that begins before may go on in them`)] : []
    return Buffer.concat([...note, ...kept, text.subarray(at)])
  }

  /** Whether the line may be a part of a key that is open. */
  #belongs(line: string): boolean {
    const stream = streamOf(line)
    if (this.#marker(stream, line)) return false
    const misses = this.#open.get(stream)
    if (misses === undefined) return false
    const next = PART.test(line) ? 0 : misses + 1
    if (next >= MOST_MISSES) this.#open.delete(stream)
    else this.#open.set(stream, next)
    return true
  }

  /** Whether there is one on it. */
  #marker(stream: Stream, line: string): boolean {
    const begin = line.search(BEGINS)
    if (begin >= 0 && !ONE_LINE.test(line.slice(begin))) this.#open.set(stream, 0)
    else if (ENDS.test(line)) this.#open.delete(stream)
    else return begin >= 0
    return true
  }
}

function streamOf(line: string): Stream {
  return line.startsWith(' stderr ', 30) ? 'stderr' : 'stdout'
}
