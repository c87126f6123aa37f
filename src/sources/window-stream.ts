/** The window over a log that cannot be sought in: every line is looked at. */
import type { Interval } from '../collector.ts'
import { stampBytes, type LineTime } from './log-times.ts'
import { note } from './pieces.ts'

/** How much is looked at for a first time; without one all of the log counts. */
const probeBytes = 64 * 1024

type State = 'probing' | 'everything' | 'lines'

/** Passes on the lines within the intervals; those without a time go with the line before. */
export class StreamWindow {
  readonly #intervals: readonly Interval[]
  readonly #lineTime: LineTime
  #state: State
  /** What could not be judged yet: the probe, or a line too short to see its time. */
  #rest: Buffer = Buffer.alloc(0)
  /** Whether the next byte is inside a line that is judged already. */
  #inside = false
  #keeping = false
  #leftOutBytes = 0

  constructor(intervals: readonly Interval[], lineTime: LineTime) {
    this.#intervals = intervals
    this.#lineTime = lineTime
    this.#state = intervals.length === 0 ? 'everything' : 'probing'
  }

  *push(chunk: Buffer): Generator<Buffer> {
    if (this.#state === 'everything') {
      yield chunk
      return
    }
    const block = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    if (this.#state === 'probing' && block.length < probeBytes) {
      this.#rest = block
      return
    }
    yield* this.#judge(block, false)
  }

  *end(): Generator<Buffer> {
    yield* this.#judge(this.#rest, true)
    if (this.#leftOutBytes > 0) yield this.#noteOfLeftOut()
  }

  *#judge(block: Buffer, last: boolean): Generator<Buffer> {
    this.#rest = Buffer.alloc(0)
    if (this.#state === 'probing') this.#probe(block)
    if (this.#state === 'everything') {
      if (block.length > 0) yield block
      return
    }
    yield* this.#lines(block, last)
  }

  /** Runs of lines that are kept, as they lie in the block. */
  *#lines(block: Buffer, last: boolean): Generator<Buffer> {
    let from = 0
    for (let line = 0; line < block.length;) {
      const newline = block.indexOf(10, line)
      const end = newline === -1 ? block.length : newline + 1
      if (!this.#inside) {
        if (newline === -1 && !last && end - line < stampBytes) {
          yield* this.#pass(block.subarray(from, line))
          this.#rest = Buffer.from(block.subarray(line))
          return
        }
        const keep = this.#wanted(block.toString('latin1', line, Math.min(end, line + stampBytes)))
        if (keep !== this.#keeping) {
          yield* this.#pass(block.subarray(from, line))
          from = line
          if (keep && this.#leftOutBytes > 0) yield this.#noteOfLeftOut()
          this.#keeping = keep
        }
      }
      this.#inside = newline === -1
      line = end
    }
    yield* this.#pass(block.subarray(from))
  }

  *#pass(run: Buffer): Generator<Buffer> {
    if (run.length === 0) return
    if (this.#keeping) yield run
    else this.#leftOutBytes += run.length
  }

  #wanted(line: string): boolean {
    const time = this.#lineTime(line)
    return time === undefined ? this.#keeping : this.#isInside(time)
  }

  #isInside(time: number): boolean {
    // Times in logs are often whole seconds.
    return this.#intervals.some(({ sinceMs, untilMs }) => time >= Math.floor(sinceMs / 1000) * 1000 && time <= untilMs)
  }

  /** What stands before the first time goes with it. */
  #probe(block: Buffer): void {
    const time = this.#firstTime(block)
    this.#state = time === undefined ? 'everything' : 'lines'
    this.#keeping = time !== undefined && this.#isInside(time)
  }

  #firstTime(block: Buffer): number | undefined {
    for (let line = 0; line < block.length;) {
      const newline = block.indexOf(10, line)
      const end = newline === -1 ? block.length : newline
      const time = this.#lineTime(block.toString('latin1', line, Math.min(end, line + stampBytes)))
      if (time !== undefined) return time
      line = end + 1
    }
    return undefined
  }

  #noteOfLeftOut(): Buffer {
    const count = this.#leftOutBytes
    this.#leftOutBytes = 0
    return note(`${count} bytes outside the window are left out here`).note
  }
}
