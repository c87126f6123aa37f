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
}

export interface Place {
  readonly timeNs: bigint
  readonly nth: number
}

type Stream = ContainerLine['stream']

interface Open {
  readonly timeNs: bigint
  readonly parts: Buffer[]
  bytes: number
}

/** Feed it the bytes of an answer in any pieces. */
export class ContainerLines {
  /** What the engine counts for `tail`. */
  frames = 0
  readonly #decoder: EngineLogDecoder
  readonly #open: Partial<Record<Stream, Open>> = {}
  /** Beyond the newest stamp: streams go backward against each other by a few milliseconds. */
  readonly #recent = new Map<bigint, number>()

  constructor(where: string) {
    this.#decoder = new EngineLogDecoder(where)
  }

  /** What the engine wrote of its own trouble in the midst of the log. */
  get trouble(): string | undefined {
    return this.#decoder.trouble
  }

  push(chunk: Buffer): ContainerLine[] {
    return this.#lines(this.#decoder.push(chunk))
  }

  /** @param closed nothing is written any more: a line without an end is one. */
  end(closed: boolean): ContainerLine[] {
    const lines = this.#lines(this.#decoder.end().lines)
    if (!closed) return lines
    for (const stream of ['stdout', 'stderr'] as const) {
      const open = this.#open[stream]
      if (open) lines.push(this.#whole(open, stream))
      delete this.#open[stream]
    }
    return lines
  }

  /** Of `TIME stdout F|P TEXT`. */
  #lines(bytes: Buffer): ContainerLine[] {
    const lines: ContainerLine[] = []
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(0x0a, at)
      const line = this.#part(bytes.subarray(at, end))
      if (line) lines.push(line)
      at = end + 1
    }
    return lines
  }

  #part(line: Buffer): ContainerLine | undefined {
    this.frames += 1
    // A time of 30 characters, or "-" where the engine gave none at all.
    const space = line.indexOf(0x20)
    const stream: Stream = line[space + 4] === 0x6f ? 'stdout' : 'stderr'
    const last = line[space + 8] === 0x46
    const open = (this.#open[stream] ??= {
      timeNs: nanoseconds(line.toString('latin1', 0, space)),
      parts: [],
      bytes: 0,
    })
    const text = line.subarray(space + 10)
    const room = MESSAGE_BYTES - open.bytes
    if (room > 0) open.parts.push(Buffer.from(text.subarray(0, room)))
    open.bytes += text.length
    if (!last) return undefined
    delete this.#open[stream]
    return this.#whole(open, stream)
  }

  #whole({ timeNs, parts, bytes }: Open, stream: Stream): ContainerLine {
    const nth = this.#count(timeNs)
    const text = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    return { timeNs, nth, stream, text, cutBytes: bytes - text.length }
  }

  #count(timeNs: bigint): number {
    const nth = this.#recent.get(timeNs) ?? 0
    // A stamp that has not come for so many others does not come again.
    if (nth === 0 && this.#recent.size >= RECENT) this.#recent.delete(this.#recent.keys().next().value!)
    this.#recent.set(timeNs, nth + 1)
    return nth
  }
}

const RECENT = 20_000

function nanoseconds(stamp: string): bigint {
  const seconds = Date.parse(`${stamp.slice(0, 19)}Z`) / 1000
  return Number.isNaN(seconds) ? 0n : BigInt(seconds) * 1_000_000_000n + BigInt(stamp.slice(20, 29))
}

export function rawLine(line: ContainerLine, container: { readonly id: string; readonly name: string }): RawLine {
  const { timeNs, nth, stream, text, cutBytes } = line
  const message = text.toString().replace(/\r$/, '')
  return {
    timeUs: Number(timeNs / 1000n),
    // As Docker's own driver for the journal has it, where the line itself does not say.
    level: levelInText(message) ?? (stream === 'stderr' ? 'error' : 'info'),
    message,
    ...(cutBytes > 0 ? { cutBytes } : {}),
    place: `${timeNs.toString(16)}.${nth.toString(36)}`,
    container: { ...container, stream },
  }
}

export function isAt({ timeNs, nth }: ContainerLine, place: Place): boolean {
  return timeNs === place.timeNs && nth === place.nth
}

export function placeOf(text: string | undefined): Place | undefined {
  const [, time, nth] = /^([0-9a-f]{1,16})\.([0-9a-z]{1,8})$/.exec(text ?? '') ?? []
  if (nth === undefined) return undefined
  return { timeNs: BigInt(`0x${time}`), nth: Number.parseInt(nth, 36) }
}
