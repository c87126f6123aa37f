/** What is kept of the log of a container, from CRI text to lines: as the engine's, with a place of the same form, and lines of ours among them. */
import { LineJoiner, nanosecondsOf, type ContainerLine, type Place } from './container-lines.ts'

/** A line of ours begins like this, and no other does: the others begin with a time. */
const MARK = Buffer.from('… ')
const NEXT_MARK = Buffer.from('\n… ')
/** It says itself where it stands: what was before that time is missing. */
const GAP = /^… \d+ lines (?:dropped|cannot be read) .*before (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) …$/
const NO_TEXT = Buffer.alloc(0)

export interface KeptLinesOptions {
  /** It begins with the first line of the log. Else a line of ours at the beginning belongs to what stands before. */
  readonly whole: boolean
  /** For lines of ours in a log that has no others. */
  readonly knownNs: bigint
}

/** Feed it the text in any pieces. */
export class KeptLines {
  readonly #options: KeptLinesOptions
  readonly #joiner = new LineJoiner()
  #held: Buffer = NO_TEXT
  /** Lines of ours that wait for the next line: they are one, behind the line before them. */
  #marks: string[] = []
  #before: Place | undefined

  constructor(options: KeptLinesOptions) {
    this.#options = options
  }

  push(chunk: Buffer): ContainerLine[] {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    const end = bytes.lastIndexOf(0x0a) + 1
    this.#held = Buffer.from(bytes.subarray(end))
    const lines: ContainerLine[] = []
    for (let at = 0; at < end;) {
      const isMark = bytes.subarray(at, at + MARK.length).equals(MARK)
      const next = isMark ? bytes.indexOf(0x0a, at) : bytes.indexOf(NEXT_MARK, at)
      const stop = next === -1 || next >= end ? end : next + 1
      if (isMark) this.#mark(bytes.toString('utf8', at, stop - 1), lines)
      else for (const line of this.#joiner.push(bytes.subarray(at, stop))) this.#take(line, lines)
      at = stop
    }
    return lines
  }

  /** The text breaks off here, maybe in the midst of a line. */
  tear(why: string): ContainerLine[] {
    this.#held = NO_TEXT
    return this.push(Buffer.from(`… ${why} …\n`))
  }

  /** @param closed nothing is written any more: a line without an end is one. */
  end(closed: boolean): ContainerLine[] {
    const lines: ContainerLine[] = []
    if (closed) for (const line of this.#joiner.end()) this.#take(line, lines)
    this.#tellMarks({ timeNs: this.#options.knownNs, nth: 0 }, lines)
    return lines
  }

  #take(line: ContainerLine, lines: ContainerLine[]): void {
    this.#tellMarks({ timeNs: line.timeNs - 1n, nth: 0 }, lines)
    lines.push(line)
    this.#before = { timeNs: line.timeNs, nth: line.nth }
  }

  #mark(text: string, lines: ContainerLine[]): void {
    const [, until] = GAP.exec(text) ?? []
    if (until === undefined) this.#marks.push(text)
    else lines.push(marked(text, { timeNs: nanosecondsOf(until) - 1n, nth: 0 }))
  }

  /** @param first where they stand when no line is before them. */
  #tellMarks(first: Place, lines: ContainerLine[]): void {
    if (this.#marks.length === 0) return
    const text = this.#marks.splice(0).join('\n')
    if (this.#before) lines.push(marked(text, this.#before))
    else if (this.#options.whole) lines.push(marked(text, first))
  }
}

function marked(text: string, { timeNs, nth }: Place): ContainerLine {
  return { timeNs, nth, stream: 'stdout', text: Buffer.from(text), cutBytes: 0, mark: true }
}
