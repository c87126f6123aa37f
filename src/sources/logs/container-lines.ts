/** The log of a container, from the engine's bytes to lines: parts joined, each with a place of its own. */
import { EngineLogDecoder } from '../engine-frames.ts'
import { levelInText } from '../levels.ts'
import { MESSAGE_BYTES, type RawLine } from './line.ts'

/** A line with what tells it from others, in the order of the log. */
export interface ContainerLine {
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint
  /** Lines of one stamp are counted from 0: many may share one, and podman 4.3 knows whole seconds only. */
  readonly nth: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: Buffer
  readonly cutBytes: number
  /** A line of ours (`… 5 lines dropped …`) behind the one of this stamp: no container wrote it. */
  readonly mark?: true
}

export interface Place {
  readonly timeNs: bigint
  readonly nth: number
  /** What stands there of ours was seen, too. */
  readonly mark?: true
}

type Stream = ContainerLine['stream']

interface Open {
  /** Of the last part. */
  timeNs: bigint
  lastBytes: number
  readonly parts: Buffer[]
  bytes: number
}

/** Feed it the bytes of an answer in any pieces. */
export class ContainerLines {
  readonly #decoder: EngineLogDecoder
  readonly #joiner = new LineJoiner()

  constructor(where: string) {
    this.#decoder = new EngineLogDecoder(where)
  }

  /** What the engine wrote of its own trouble in the midst of the log. */
  get trouble(): string | undefined {
    return this.#decoder.trouble
  }

  /** What the engine counts for `tail`. */
  get frames(): number {
    return this.#joiner.parts
  }

  push(chunk: Buffer): ContainerLine[] {
    return this.#joiner.push(this.#decoder.push(chunk))
  }

  /** @param closed nothing is written any more: a line without an end is one. */
  end(closed: boolean): ContainerLine[] {
    const lines = this.#joiner.push(this.#decoder.end().lines)
    return closed ? [...lines, ...this.#joiner.end()] : lines
  }
}

/** Whole lines of CRI text, `TIME stdout F|P TEXT`, to lines: parts joined, lines of one stamp counted. */
export class LineJoiner {
  /** Lines of the text. */
  parts = 0
  readonly #open: Partial<Record<Stream, Open>> = {}
  /** Beyond the newest stamp: streams go backward against each other by a few milliseconds. */
  readonly #recent = new Map<bigint, number>()

  push(text: Buffer): ContainerLine[] {
    const lines: ContainerLine[] = []
    for (let at = 0; at < text.length;) {
      const end = text.indexOf(0x0a, at)
      this.#part(text.subarray(at, end), lines)
      at = end + 1
    }
    return lines
  }

  /** Lines that have no end are lines. */
  end(): ContainerLine[] {
    return (['stdout', 'stderr'] as const).flatMap((stream) => this.#close(stream) ?? [])
  }

  #part(line: Buffer, lines: ContainerLine[]): void {
    this.parts += 1
    // A time of 30 characters, or "-" where the engine gave none at all.
    const space = line.indexOf(0x20)
    const stream: Stream = line[space + 4] === 0x6f ? 'stdout' : 'stderr'
    const timeNs = nanosecondsOf(line.toString('latin1', 0, space))
    const before = this.#open[stream]
    if (before && endedUnsaid(before, timeNs)) lines.push(this.#close(stream)!)
    const open = (this.#open[stream] ??= { timeNs, lastBytes: 0, parts: [], bytes: 0 })
    const text = line.subarray(space + 10)
    const room = MESSAGE_BYTES - open.bytes
    if (room > 0) open.parts.push(Buffer.from(text.subarray(0, room)))
    open.bytes += text.length
    Object.assign(open, { timeNs, lastBytes: text.length })
    if (line[space + 8] === LAST) lines.push(this.#close(stream)!)
  }

  #close(stream: Stream): ContainerLine | undefined {
    const open = this.#open[stream]
    delete this.#open[stream]
    if (!open) return undefined
    const { timeNs, parts, bytes } = open
    const text = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    return { timeNs, nth: this.#count(timeNs), stream, text, cutBytes: bytes - text.length }
  }

  #count(timeNs: bigint): number {
    const nth = this.#recent.get(timeNs) ?? 0
    // A stamp that has not come for so many others does not come again.
    if (nth === 0 && this.#recent.size >= RECENT) this.#recent.delete(this.#recent.keys().next().value!)
    this.#recent.set(timeNs, nth + 1)
    return nth
  }
}

/** `F`: this is the last part. */
const LAST = 0x46
/** The engine cuts lines into parts of this size. */
const PART_BYTES = 16 * 1024

/**
 * Docker's `local` driver leaves out the newline of a long line: parts are full but for the last one, and have one stamp, where that tells
 * more than seconds.
 */
function endedUnsaid({ timeNs, lastBytes }: Open, nextNs: bigint): boolean {
  if (lastBytes >= PART_BYTES || timeNs === nextNs) return false
  return timeNs % SECOND_NS !== 0n || nextNs % SECOND_NS !== 0n
}

const SECOND_NS = 1_000_000_000n
const RECENT = 20_000

/** Of a stamp of CRI text; 0 where it is none. */
export function nanosecondsOf(stamp: string): bigint {
  const seconds = Date.parse(`${stamp.slice(0, 19)}Z`) / 1000
  const nanos = Number(stamp.slice(20, 29))
  return Number.isInteger(seconds) && Number.isInteger(nanos) ? BigInt(seconds) * SECOND_NS + BigInt(nanos) : 0n
}

/** As the lines have it, so that they sort as texts. */
export function stampOf(timeNs: bigint): string {
  const known = timeNs < 0n ? 0n : timeNs > LAST_NS ? LAST_NS : timeNs
  const seconds = new Date(Number(known / 1_000_000n)).toISOString().slice(0, 19)
  return `${seconds}.${String(known % SECOND_NS).padStart(9, '0')}Z`
}

/** The end of the year 9999. */
const LAST_NS = 253_402_300_799_999_999_999n

/** Of a container, in cursors and for people. */
export function keyOf(id: string): string {
  return id.slice(0, 12)
}

interface Container {
  readonly id: string
  readonly name: string
  readonly removed?: true
}

export function rawLine(line: ContainerLine, container: Container): RawLine {
  const { timeNs, nth, stream, text, cutBytes, mark } = line
  const message = text.toString().replace(/\r$/, '')
  const { id, name, removed } = container
  return {
    timeUs: Number(timeNs / 1000n),
    // As Docker's own driver for the journal has it, where the line itself does not say.
    level: mark ? 'warning' : (levelInText(message) ?? (stream === 'stderr' ? 'error' : 'info')),
    message,
    ...(cutBytes > 0 ? { cutBytes } : {}),
    place: `${timeNs.toString(16)}.${nth.toString(36)}${mark ? MARK : ''}`,
    container: { id, name, ...(!mark && { stream }), ...(removed && { removed }) },
  }
}

const MARK = '.m'

/** A line of ours that stands there was not seen before the line itself. */
export function isAt({ timeNs, nth, mark }: ContainerLine, place: Place): boolean {
  return timeNs === place.timeNs && nth === place.nth && (!mark || place.mark === true)
}

export function placeOf(text: string | undefined): Place | undefined {
  const [, time, nth, mark] = /^([0-9a-f]{1,16})\.([0-9a-z]{1,8})(\.m)?$/.exec(text ?? '') ?? []
  if (nth === undefined) return undefined
  return { timeNs: BigInt(`0x${time}`), nth: Number.parseInt(nth, 36), ...(mark !== undefined && { mark: true }) }
}
