/** To go on at a place in the log of a container, in either direction, whoever hands out the log. */
import { isAt, type ContainerLine, type Place } from './container-lines.ts'
import { CONTEXT_LINES } from './line.ts'

/** Further than that, no line comes too late. */
export const BACK_NS = 2_000_000_000n

export interface Taken {
  readonly line: ContainerLine
  readonly context: boolean
}

/** Lines that stand behind the place, while it is not known yet whether it comes. */
const MOST_HELD = 4096

/** Finds where to begin: behind the line at the place, or at its time when there is no such line (`nth` is -1 for a mere time). */
export class Beginning {
  /** The place is older than the oldest line. */
  lost = false
  readonly #place: Place
  #before: ContainerLine[] = []
  #held: ContainerLine[] = []
  #begun = false
  #seen = false

  constructor(place: Place) {
    this.#place = place
  }

  take(line: ContainerLine): Taken[] {
    const { timeNs, nth } = this.#place
    if (this.#begun) return this.#isSeen(line) ? [] : [{ line, context: false }]
    if (nth === -1) return line.timeNs < timeNs ? this.#pass(line) : [...this.#begin(), { line, context: false }]
    this.#seen ||= line.timeNs <= timeNs
    if (isAt(line, this.#place)) {
      for (const one of [...this.#held.splice(0), line]) this.#pass(one)
      return this.#begin()
    }
    if (line.timeNs <= timeNs) return this.#pass(line)
    this.#held.push(line)
    return line.timeNs > timeNs + BACK_NS || this.#held.length > MOST_HELD ? this.end() : []
  }

  /** The place does not come any more: what was written after its time counts as new. */
  end(): Taken[] {
    if (this.#begun) return []
    this.lost = !this.#seen && this.#held.length > 0
    return [...this.#begin(), ...this.#held.splice(0).map((line) => ({ line, context: false }))]
  }

  #isSeen(line: ContainerLine): boolean {
    return line.timeNs < this.#place.timeNs - BACK_NS || (line.mark === true && isAt(line, this.#place))
  }

  #pass(line: ContainerLine): Taken[] {
    this.#before.push(line)
    if (this.#before.length > 2 * CONTEXT_LINES) this.#before = this.#before.slice(-CONTEXT_LINES)
    return []
  }

  #begin(): Taken[] {
    this.#begun = true
    return this.#before
      .splice(0)
      .slice(-CONTEXT_LINES)
      .map((line) => ({ line, context: true }))
  }
}

/** Lines and bytes kept of a look: those right before what is known. */
const MOST_KEPT = 1024
const KEPT_BYTES = 512 * 1024

/** The newest lines before a place, which is not among them. Each line is known by its stamp and how many of that stamp stand before it. */
export class Keeper {
  readonly #before: Place
  #kept: ContainerLine[] = []
  #bytes = 0
  /** There were more of them than are kept. */
  more = false
  #reached = false
  #firstNs: bigint | undefined

  constructor(before: Place) {
    this.#before = before
  }

  take(line: ContainerLine): void {
    this.#firstNs ??= line.timeNs
    const { timeNs, nth } = this.#before
    const at = isAt(line, this.#before)
    // Of a place behind a line, that line itself is before it.
    const isBefore = nth === -1 ? line.timeNs <= timeNs : !this.#reached && (!at || isLineOf(line, this.#before))
    this.#reached ||= at
    if (!isBefore) return
    this.#kept.push(line)
    this.#bytes += line.text.length
    while (this.#kept.length > MOST_KEPT || (this.#bytes > KEPT_BYTES && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()!.text.length
      this.more = true
    }
  }

  /** Of the first line, wherever that is. */
  get firstNs(): bigint {
    return this.#firstNs ?? 0n
  }

  /** The line at the place came. True of a mere time. */
  get reached(): boolean {
    return this.#before.nth === -1 || this.#reached
  }

  get all(): readonly ContainerLine[] {
    return this.#kept
  }

  /** Those that come behind the last one that is not newer than that: how many lines of such a stamp there are, only a longer look knows. */
  newerThan(timeNs: bigint): readonly ContainerLine[] {
    return this.#kept.slice(this.#kept.findLastIndex((line) => line.timeNs <= timeNs) + 1)
  }
}

function isLineOf(line: ContainerLine, place: Place): boolean {
  return place.mark === true && !line.mark
}
