/** From what the engine sends of one log to CRI text: each frame once, parts of lines joined, floods cut, everything counted. */
import { FrameDecoder, PART_BYTES, type Frame } from './decoder.ts'
import { FloodGate, type FloodLimits } from './flood.ts'
import { STREAM_SHIFT, type FrameMemory } from './memory.ts'
import { Moments, stampOf } from './moments.ts'
import { TextBuilder } from './text.ts'

/** A line is joined up to this length; then it goes on in another one, as CRI has it: `P`, and `F` at its end. */
const JOINED_BYTES = 256 * 1024

/** What came since the last `take`: to be masked and stored, all or nothing. */
export interface Batch {
  /** Whole lines, among them markers. */
  readonly text: Buffer
  /** Without markers. */
  readonly lines: number
  readonly first: string | undefined
  readonly last: string | undefined
  /** Frames that are new since then, for the memory that is stored with them; of very many the newest. */
  readonly frames: Uint32Array
  readonly highestSeconds: number
  readonly flood: number
  readonly ambiguous: number
}

interface Part {
  readonly text: TextBuilder
  /** Of the last frame. */
  seconds: number
  nanos: number
  lengthBytes: number
  /** The frames it consists of: they count once the line is told. */
  frames: number[]
}

const NEWLINE = 0x0a
const STAMP_BYTES = 30
const TAGS = {
  stdout: { F: Buffer.from(' stdout F '), P: Buffer.from(' stdout P ') },
  stderr: { F: Buffer.from(' stderr F '), P: Buffer.from(' stderr P ') },
}
/** Of a line of CRI text, besides what the container wrote. */
const LINE_EXTRA_BYTES = STAMP_BYTES + TAGS.stdout.F.length + 1

export class Intake {
  readonly memory: FrameMemory
  readonly #decoder: FrameDecoder
  readonly #gate: FloodGate
  readonly #text = new TextBuilder()
  readonly #moments = new Moments()
  readonly #parts: { stdout: Part | undefined; stderr: Part | undefined } = { stdout: undefined, stderr: undefined }
  #interrupted = false
  #lines = 0
  #newFrames = 0
  #ambiguous = 0
  /** All that were left out, and those that no marker tells of yet. */
  #flood = 0
  readonly #hole = { lines: 0, moments: new Moments() }

  constructor(memory: FrameMemory, limits: FloodLimits) {
    this.memory = memory
    this.#gate = new FloodGate(limits)
    this.#decoder = new FrameDecoder((frame, bytes, start, end) => this.#frame(frame, bytes, start, end))
  }

  get waitingBytes(): number {
    return this.#text.length
  }

  /** The last of what waits. */
  lastText(bytes: number): Buffer {
    return this.#text.last(bytes)
  }

  /** Something is to be stored: lines, or that frames came. */
  get waits(): boolean {
    return this.#newFrames > 0 || this.#text.length > 0 || this.#ambiguous > 0
  }

  /** A frame, or a line, is not whole yet, and the rest is on its way. */
  get holds(): boolean {
    if (this.#interrupted) return false
    return this.#decoder.holds || this.#parts.stdout !== undefined || this.#parts.stderr !== undefined
  }

  /** What the engine said of its own trouble. */
  get trouble(): string | undefined {
    return this.#decoder.trouble
  }

  /** The engine begins to send, from `memory.since` on. */
  begin(): void {
    this.#interrupted = false
    this.#decoder.end(false)
    this.#forgetParts()
    this.memory.compare()
  }

  /** @throws Error when it is no log stream. */
  push(chunk: Buffer): void {
    this.#decoder.push(chunk)
  }

  /**
   * It sends no more. `finished`: and never will, for this run of the container is over. Else what is not whole stays until it begins again, for it may
   * turn out then that the container is gone, and that these were its last words.
   */
  end(finished: boolean): void {
    this.#interrupted = !finished
    if (!finished) return
    this.#decoder.end(true)
    for (const stream of ['stdout', 'stderr'] as const) this.#tellPart(stream, 'P')
    this.#forgetParts()
  }

  /** A line of ours, where the next line would stand. */
  mark(sentence: string): void {
    this.#text.add(Buffer.from(`… ${sentence} …\n`))
  }

  /** The text is good until the next `push`. */
  take(): Batch {
    this.#closeHole()
    const batch: Batch = {
      first: this.#moments.earliest,
      last: this.#moments.latest,
      lines: this.#lines,
      text: this.#text.take(),
      frames: this.memory.newest(this.#newFrames),
      highestSeconds: this.memory.highestSeconds,
      flood: this.#flood,
      ambiguous: this.#ambiguous,
    }
    this.#lines = this.#newFrames = this.#flood = this.#ambiguous = 0
    this.#moments.clear()
    return batch
  }

  /** Nothing came for a while. */
  rest(): void {
    this.#text.shrink()
  }

  #frame(frame: Frame, bytes: Buffer, start: number, end: number): void {
    const { seconds, stream, endsLine } = frame
    const key = frame.nanos + (stream === 'stderr' ? 2 : 1) * 2 ** STREAM_SHIFT
    const hash = hashOf(bytes, start, end, endsLine)
    if (this.memory.comparing) {
      const seen = this.memory.isKnown(seconds, key, hash)
      if (seen === 'ambiguous') this.#ambiguous += 1
      if (seen !== 'new') return
    }
    const pending = this.#parts[stream]
    if (pending && endedUnsaid(pending, frame)) this.#tellPart(stream, 'F')
    if (!endsLine || this.#parts[stream]) {
      this.#join(frame, bytes, start, end)
      this.#parts[stream]?.frames.push(seconds, key, hash)
      if (endsLine) this.#tellPart(stream, 'F')
      return
    }
    this.memory.add(seconds, key, hash)
    this.#newFrames += 1
    this.#line(frame, 'F', bytes, start, end)
  }

  #join({ stream, seconds, nanos }: Frame, bytes: Buffer, start: number, end: number): void {
    const lengthBytes = end - start
    const part = (this.#parts[stream] ??= { text: new TextBuilder(), seconds, nanos, lengthBytes, frames: [] })
    if (part.text.length + lengthBytes > JOINED_BYTES) this.#tell(stream, 'P', part)
    part.text.add(bytes, start, end)
    Object.assign(part, { seconds, nanos, lengthBytes })
  }

  /** `P`: the container ended before the line did. */
  #tellPart(stream: Frame['stream'], tag: 'F' | 'P'): void {
    const part = this.#parts[stream]
    if (part) this.#tell(stream, tag, part)
    this.#parts[stream] = undefined
  }

  #tell(stream: Frame['stream'], tag: 'F' | 'P', part: Part): void {
    const { frames, seconds, nanos } = part
    for (let at = 0; at < frames.length; at += 3) this.memory.add(frames[at]!, frames[at + 1]!, frames[at + 2]!)
    this.#newFrames += frames.length / 3
    part.frames = []
    const text = part.text.take()
    this.#line({ stream, seconds, nanos, stampAt: -1, endsLine: tag === 'F' }, tag, text, 0, text.length)
  }

  /** The engine has them still, and sends them again. */
  #forgetParts(): void {
    this.#parts.stdout = this.#parts.stderr = undefined
  }

  #line(frame: Frame, tag: 'F' | 'P', bytes: Buffer, start: number, end: number): void {
    const { seconds, nanos, stampAt, stream } = frame
    if (!this.#gate.passes(seconds, nanos, end - start + LINE_EXTRA_BYTES)) {
      this.#flood += 1
      this.#hole.lines += 1
      this.#hole.moments.add(seconds, nanos)
      return
    }
    this.#closeHole()
    this.#moments.add(seconds, nanos)
    if (stampAt >= 0) this.#text.add(bytes, stampAt, stampAt + STAMP_BYTES)
    else this.#text.add(Buffer.from(stampOf(seconds, nanos)))
    this.#text.add(TAGS[stream][tag])
    this.#text.add(bytes, start, end)
    this.#text.addByte(NEWLINE)
    this.#lines += 1
  }

  #closeHole(): void {
    const { lines, moments } = this.#hole
    if (lines === 0) return
    this.mark(`${lines} lines dropped (flood) from ${moments.earliest} to ${moments.latest}`)
    this.#hole.lines = 0
    moments.clear()
  }
}

/**
 * Docker's `local` driver leaves out the newline after the last part of a long line (seen in 20.10). Parts are full but for the last one, and have one time
 * stamp, where that tells more than seconds.
 */
function endedUnsaid({ seconds, nanos, lengthBytes }: Part, frame: Frame): boolean {
  if (lengthBytes >= PART_BYTES || (nanos === 0 && frame.nanos === 0)) return false
  return frame.seconds !== seconds || frame.nanos !== nanos
}

/** FNV-1a. Nobody gains by two texts with one hash: their times to the nanosecond would have to be equal, too. */
function hashOf(bytes: Buffer, start: number, end: number, endsLine: boolean): number {
  let hash = endsLine ? 0x811c9dc5 : 0x811c9dc4
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash >>> 0
}
