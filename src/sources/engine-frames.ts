/**
 * The log stream of the Engine API, decoded to CRI text lines.
 *
 * Without a terminal the engine sends frames: a header of 8 bytes (stream, three zeros, big-endian length), then one
 * log message with its time stamp; with a terminal it sends the messages as they are. Both are described under
 * "Attach to a container" in the Engine API. A line over 16 kB comes in parts, each with the same time stamp, and
 * only the last part ends with a newline.
 */
import { SourceError } from './source.ts'

/** The engine cuts lines into parts of this size (its copier's buffer). */
const partBytes = 16 * 1024
/** Frames up to this size are held until they are whole; a longer one is passed on in parts. */
const frameBytes = 64 * 1024
const headerBytes = 8
/** Longest time stamp: RFC 3339 with nanoseconds and an offset, and the space after it. */
const stampBytes = 36
const stampPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /

/** Number of the stream on which the engine tells its own trouble: `Error grabbing logs: …`. */
const troubleStream = 3

const newline = 0x0a
const lineEnd = Buffer.from('\n')
/** What stands for the time of a line that the engine gave none, before any line with a time. */
const unknownTime = Buffer.from('-')
const tags = {
  stdout: { F: Buffer.from(' stdout F '), P: Buffer.from(' stdout P ') },
  stderr: { F: Buffer.from(' stderr F '), P: Buffer.from(' stderr P ') },
}
type Stream = keyof typeof tags

/** Feed it the engine's bytes in any pieces: it answers with whole lines `TIME STREAM F|P TEXT`. Holds ≤ 64 KiB. */
export class EngineLogDecoder {
  /** What the engine wrote about its own trouble in the middle of the log: the first such message. */
  trouble: string | undefined
  readonly #where: string
  #framed: boolean | undefined
  #pending: Buffer = Buffer.alloc(0)
  /** Of the frame at hand: which stream it belongs to and what is still to come. */
  #stream = 0
  #left = 0
  #time: Buffer = unknownTime
  #lines: Buffer[] = []

  /** `where` names the log in errors. */
  constructor(where: string) {
    this.#where = where
  }

  /** Throws a `SourceError` when the bytes are not a log stream. */
  push(chunk: Buffer): Buffer {
    const data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    // The bytes decide, not what the container's configuration says about its terminal: a header cannot be mistaken
    // for the time stamp that begins every line without one.
    if (data.length >= headerBytes) this.#framed ??= isHeader(data)
    const used = this.#framed === undefined ? 0 : this.#framed ? this.#frames(data) : this.#text(data, 'stdout')
    // A copy: the chunk belongs to whoever gave it.
    this.#pending = Buffer.from(data.subarray(used))
    return this.#take()
  }

  /** The end of the stream: the unfinished last line. `torn` when the stream ended inside a frame. */
  end(): { lines: Buffer; torn: boolean } {
    const rest = this.#pending
    this.#pending = Buffer.alloc(0)
    const torn = this.#framed === true && (rest.length > 0 || this.#left > 0)
    if (!this.#framed) this.#whole(rest, 'stdout')
    // Of a frame that broke off inside its header or time stamp there is no line to tell.
    else if (rest.length >= stampBytes || stampPattern.test(rest.toString('latin1'))) this.#message(rest)
    return { lines: this.#take(), torn }
  }

  /** Decodes what is complete of the frames in `data`, and returns how many bytes that was. */
  #frames(data: Buffer): number {
    let at = 0
    for (;;) {
      if (this.#left === 0) {
        if (data.length - at < headerBytes) return at
        const header = data.subarray(at, at + headerBytes)
        if (!isHeader(header)) throw new SourceError('failed', `${this.#where}: not a log stream of the Engine API`)
        this.#stream = header[0]!
        this.#left = header.readUInt32BE(4)
        at += headerBytes
        continue
      }
      const piece = Math.min(this.#left, frameBytes)
      if (data.length - at < piece) return at
      this.#message(data.subarray(at, at + piece))
      this.#left -= piece
      at += piece
    }
  }

  #message(text: Buffer): void {
    if (this.#stream === troubleStream) this.trouble ??= text.toString().trim().slice(0, 1000)
    else this.#whole(text, this.#stream === 2 ? 'stderr' : 'stdout')
  }

  /** All of `text`; what stands after its last newline is a part of a line. */
  #whole(text: Buffer, stream: Stream): void {
    const rest = text.subarray(this.#text(text, stream))
    if (rest.length === 0) return
    const start = this.#readTime(rest, 0)
    this.#lines.push(this.#time, tags[stream].P, rest.subarray(start), lineEnd)
  }

  /** The complete lines and full parts in `data`; returns how many bytes that was. */
  #text(data: Buffer, stream: Stream): number {
    let at = 0
    for (;;) {
      const start = this.#readTime(data, at)
      const end = data.indexOf(newline, start)
      if (end !== -1 && end - start <= partBytes) {
        this.#lines.push(this.#time, tags[stream].F, data.subarray(start, end + 1))
        at = end + 1
      } else if (data.length - start > partBytes) {
        at = start + partBytes
        this.#lines.push(this.#time, tags[stream].P, data.subarray(start, at), lineEnd)
      } else return at
    }
  }

  /** Remembers the time stamp at `at` for this line, and for later ones without any; returns where the text starts. */
  #readTime(data: Buffer, at: number): number {
    const [stamp, seconds, fraction, zone] = stampPattern.exec(data.toString('latin1', at, at + stampBytes)) ?? []
    if (!stamp || !seconds || !zone) return at
    const utcMs = Date.parse(`${seconds}${zone}`)
    if (Number.isNaN(utcMs)) return at
    const utc = zone === 'Z' ? seconds : new Date(utcMs).toISOString().slice(0, 19)
    this.#time = Buffer.from(`${utc}.${(fraction ?? '').padEnd(9, '0')}Z`)
    return at + stamp.length
  }

  #take(): Buffer {
    const lines = Buffer.concat(this.#lines)
    this.#lines = []
    return lines
  }
}

const isHeader = (data: Buffer) => data[0]! <= troubleStream && data[1] === 0 && data[2] === 0 && data[3] === 0
