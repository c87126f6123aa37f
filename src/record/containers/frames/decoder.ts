/**
 * The log stream of the Engine API as frames, made for floods: nothing is allocated for a frame that lies in one chunk. What a frame is
 * stands in src/sources/engine-frames.ts.
 */

/** Gets a frame: its text lies in `bytes` from `start` to `end`, without the newline, and is good for the time of the call. */
export type FrameSink = (frame: Frame, bytes: Buffer, start: number, end: number) => void

export interface Frame {
  stream: 'stdout' | 'stderr'
  /** Of its time stamp; that of the frame before where it has none. */
  seconds: number
  nanos: number
  /** The time stamp stands at this place of `bytes`, 30 bytes as CRI text has it; −1 where it has to be written. */
  stampAt: number
  /** A newline followed: else it is a part of a line. */
  endsLine: boolean
}

const HEADER_BYTES = 8
/** The engine cuts lines into parts of this size. */
export const PART_BYTES = 16 * 1024
/** A longer frame is taken in parts. */
const FRAME_BYTES = 64 * 1024
/** `2026-11-21T16:47:23.187458123Z ` with nanoseconds, the usual one. */
const STAMP_BYTES = 31
/** With an offset instead of the Z. */
const LONGEST_STAMP = 36
const TROUBLE_STREAM = 3
const NEWLINE = 0x0a
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /

export class FrameDecoder {
  /** What the engine wrote about its own trouble in the midst of the log. */
  trouble: string | undefined
  readonly #sink: FrameSink
  readonly #frame: Frame = { stream: 'stdout', seconds: 0, nanos: 0, stampAt: -1, endsLine: true }
  #framed: boolean | undefined
  #held = Buffer.alloc(0)
  /** Of a frame that is taken in parts. */
  #left = 0
  #streamNumber = 1
  /** Day and its seconds since 1970: the next stamp is of the same day as a rule. */
  #day = ''
  #dayAt = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Whether a frame is not whole yet. */
  get holds(): boolean {
    return this.#held.length > 0 || this.#left > 0
  }

  /** @throws Error when it is no log stream. */
  push(chunk: Buffer): void {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    if (bytes.length >= HEADER_BYTES) this.#framed ??= isHeader(bytes, 0)
    const used = this.#framed === undefined ? 0 : this.#framed ? this.#frames(bytes) : this.#raw(bytes)
    // A copy: the chunk is used again.
    this.#held = used === bytes.length ? EMPTY : Buffer.from(bytes.subarray(used))
  }

  /** The stream is at its end. `finished`: so is the container, and without frames what is left is a line that it never ended. */
  end(finished: boolean): void {
    if (finished && this.#framed === false && this.#held.length > 0) this.#line(this.#held, 0, this.#held.length, false)
    this.#held = EMPTY
    this.#left = 0
    this.#framed = undefined
  }

  #frames(bytes: Buffer): number {
    let at = 0
    for (;;) {
      if (this.#left === 0) {
        if (bytes.length - at < HEADER_BYTES) return at
        if (!isHeader(bytes, at)) throw new Error('what the engine sends is not a log stream')
        this.#streamNumber = bytes[at]!
        this.#left = bytes.readUInt32BE(at + 4)
        at += HEADER_BYTES
        continue
      }
      const piece = this.#left < FRAME_BYTES ? this.#left : FRAME_BYTES
      if (bytes.length - at < piece) return at
      this.#piece(bytes, at, at + piece)
      this.#left -= piece
      at += piece
    }
  }

  /** A frame, or a part of a long one; it may hold several lines. */
  #piece(bytes: Buffer, start: number, end: number): void {
    if (this.#streamNumber === TROUBLE_STREAM) {
      this.trouble ??= bytes.toString('utf8', start, end).trim().slice(0, 1000)
      return
    }
    this.#frame.stream = this.#streamNumber === 2 ? 'stderr' : 'stdout'
    for (let at = start; at < end;) {
      const newline = bytes.indexOf(NEWLINE, at)
      const ends = newline !== -1 && newline < end
      this.#line(bytes, at, ends ? newline : end, ends)
      at = ends ? newline + 1 : end
    }
  }

  /** Without frames: lines, each with its stamp; a long one in parts with a stamp each. */
  #raw(bytes: Buffer): number {
    this.#frame.stream = 'stdout'
    for (let at = 0; ;) {
      const newline = bytes.indexOf(NEWLINE, at)
      const start = at + this.#stamp(bytes, at, bytes.length)
      if (newline !== -1 && newline - start <= PART_BYTES) {
        this.#line(bytes, at, newline, true)
        at = newline + 1
      } else if (bytes.length - start > PART_BYTES) {
        this.#line(bytes, at, start + PART_BYTES, false)
        at = start + PART_BYTES
      } else return at
    }
  }

  #line(bytes: Buffer, at: number, end: number, endsLine: boolean): void {
    const start = at + this.#stamp(bytes, at, end)
    this.#frame.endsLine = endsLine
    this.#sink(this.#frame, bytes, start, end)
  }

  /** Reads the time stamp at `at`; how many bytes it takes. */
  #stamp(bytes: Buffer, at: number, end: number): number {
    const frame = this.#frame
    if (end - at >= STAMP_BYTES && bytes[at + 29] === 0x5a && bytes[at + 30] === 0x20 && bytes[at + 19] === 0x2e) {
      const day = bytes.toString('latin1', at, at + 10)
      if (day === this.#day || this.#newDay(day)) {
        const seconds = two(bytes, at + 11) * 3600 + two(bytes, at + 14) * 60 + two(bytes, at + 17)
        frame.seconds = this.#dayAt + seconds
        frame.nanos = nine(bytes, at + 20)
        frame.stampAt = at
        return STAMP_BYTES
      }
    }
    frame.stampAt = -1
    const [stamp, time, fraction, zone] =
      STAMP.exec(bytes.toString('latin1', at, Math.min(end, at + LONGEST_STAMP))) ?? []
    const utcMs = stamp === undefined ? Number.NaN : Date.parse(`${time}${zone}`)
    if (Number.isNaN(utcMs)) return 0
    frame.seconds = utcMs / 1000
    frame.nanos = Number((fraction ?? '').padEnd(9, '0'))
    return stamp!.length
  }

  #newDay(day: string): boolean {
    const utcMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN
    if (Number.isNaN(utcMs)) return false
    this.#day = day
    this.#dayAt = utcMs / 1000
    return true
  }
}

const EMPTY = Buffer.alloc(0)

function isHeader(bytes: Buffer, at: number): boolean {
  return bytes[at]! <= TROUBLE_STREAM && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0
}

function two(bytes: Buffer, at: number): number {
  return bytes[at]! * 10 + bytes[at + 1]! - 528
}

function nine(bytes: Buffer, at: number): number {
  let value = 0
  for (let index = at; index < at + 9; index++) value = value * 10 + bytes[index]! - 48
  return value
}
