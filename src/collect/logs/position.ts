/**
 * How far the merged lines were looked at, and the cursor that says so.
 *
 * `1f.<time>.<until>~<source>.<place>~…`, letters that a URL takes as they are. Of each source the last line that was passed on is named, but only
 * where it is close to the time of the last line of all: for a source that is not named, nothing within that distance was passed on, and so it
 * goes on from there by time alone, without a loss or a double.
 */
import { CLOUD_INIT_KEYS } from '../../sources/logs/cloud-init.ts'
import { JOURNAL_KEY } from '../../sources/logs/journal.ts'
import type { LogSource, LogSpan } from '../../sources/logs/line.ts'
import { UsageError } from '../request.ts'

type Direction = LogSpan['direction']

interface Passed {
  readonly timeUs: number
  readonly place: string
}

/** No source is later than that: a container that has just been found, a busy journal. */
const NEAR_US = 10_000_000

/** There is one of each, and their places are worth more than a time: files whose lines have none, a clock that was set back. */
const ALWAYS = new Set([JOURNAL_KEY, ...CLOUD_INIT_KEYS])

export class Position {
  readonly direction: Direction
  /** What came after the first look does not belong to what is read backward. */
  readonly untilUs: number
  #timeUs: number
  readonly #passed: Map<string, Passed>
  /** Sources of which it is not only known where they begin. */
  readonly #moved: Set<string>

  constructor(direction: Direction, timeUs: number, untilUs: number, passed: Iterable<readonly [string, Passed]> = []) {
    this.direction = direction
    this.#timeUs = timeUs
    this.untilUs = untilUs
    this.#passed = new Map(passed)
    this.#moved = new Set(this.#passed.keys())
  }

  /** @throws UsageError when it is not one of ours, or of the other direction. */
  static decode(cursor: string, direction: Direction): Position {
    const [, letter, time, until, rest = ''] = CURSOR.exec(cursor) ?? []
    if (letter === undefined) throw new UsageError('cursor', 'is not a cursor; accepted: one of an answer before')
    if (letter !== direction[0]) {
      const order = letter === 'b' ? 'newest' : 'oldest'
      throw new UsageError('cursor', `is one of order=${order}, which reads the other way`)
    }
    const timeUs = Number.parseInt(time!, 36)
    const passed = rest
      .split('~')
      .slice(1)
      .map((part) => {
        const dot = part.indexOf('.')
        return [part.slice(0, dot), { timeUs, place: part.slice(dot + 1) }] as const
      })
    return new Position(direction, timeUs, until === '' ? Infinity : Number.parseInt(until!, 36), passed)
  }

  get timeUs(): number {
    return this.#timeUs
  }

  pass({ key }: Pick<LogSource, 'key'>, line: Passed): void {
    this.#timeUs = line.timeUs
    this.#passed.set(key, { timeUs: line.timeUs, place: line.place })
    this.#moved.add(key)
    if (this.#passed.size > MOST_REMEMBERED) this.#forgetFar()
  }

  /** The line before the first one of a source that has passed nothing on yet. */
  begins({ key }: Pick<LogSource, 'key'>, line: Passed): void {
    if (!this.#moved.has(key)) this.#passed.set(key, { timeUs: line.timeUs, place: line.place })
  }

  /** What a source has to read to go on. */
  spanOf({ key }: Pick<LogSource, 'key'>, wanted: Pick<LogSpan, 'sinceUs' | 'untilUs'>): LogSpan {
    const { direction } = this
    const { sinceUs } = wanted
    const untilUs = Math.min(wanted.untilUs, this.untilUs)
    const after = this.#passed.get(key)?.place
    const near = direction === 'forward' ? this.#timeUs - NEAR_US : this.#timeUs + NEAR_US
    return {
      direction,
      sinceUs: direction === 'forward' && after === undefined ? Math.max(sinceUs, near) : sinceUs,
      untilUs: direction === 'backward' && after === undefined ? Math.min(untilUs, near) : untilUs,
      after,
    }
  }

  encode(): string {
    const near = [...this.#passed].filter(([key, { timeUs }]) => ALWAYS.has(key) || this.#isNear(timeUs))
    const until = this.untilUs === Infinity ? '' : this.untilUs.toString(36)
    const head = `1${this.direction[0]}.${this.#timeUs.toString(36)}.${until}`
    return [head, ...near.map(([key, { place }]) => `${key}.${place}`)].join('~')
  }

  #forgetFar(): void {
    for (const [key, { timeUs }] of this.#passed) {
      if (ALWAYS.has(key) || this.#isNear(timeUs)) continue
      this.#passed.delete(key)
      this.#moved.delete(key)
    }
  }

  #isNear(timeUs: number): boolean {
    return this.direction === 'forward' ? timeUs >= this.#timeUs - NEAR_US : timeUs <= this.#timeUs + NEAR_US
  }
}

/** Containers come and go as long as somebody follows. */
const MOST_REMEMBERED = 1000

const CURSOR = /^1([fb])\.([0-9a-z]{1,11})\.([0-9a-z]{0,11})((?:~[0-9a-z]{1,12}\.[0-9A-Za-z.]{1,200}){0,300})$/
