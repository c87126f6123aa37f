/** One log in the thread: from the bytes of the engine to the disk. */
import { Intake, type Batch } from '../frames/intake.ts'
import type { FloodLimits } from '../frames/flood.ts'
import { LogWriter, type MaskedBatch } from '../keep/log-writer.ts'
import { mayGoOn } from '../../../redact/rules/crossing.ts'
import { MaskedLog, type Masker } from './masker.ts'
import type { Counted, Place } from './protocol.ts'

/** So much text is masked at once: a stretch of the mask (src/redact/stream.ts). */
const BATCH_BYTES = 256 * 1024

/** A key has no more behind its heads, nor a line of it. */
const KEY_BYTES = 24 * 1024
const LINE_BYTES = 1024

const NOTHING_COUNTED: Counted = { lines: 0, flood: 0, withheld: 0, ambiguous: 0, cap: 0 }

export interface OpenLogOptions {
  readonly folder: string
  readonly maxBytes: number
  readonly flood: FloodLimits
  /** Seconds since 1970: its lines up to then are not masked again, for the mask hung on them. */
  readonly withholdUntil: number | undefined
}

export class OpenLog {
  readonly folder: string
  readonly #intake: Intake
  readonly #writer: LogWriter
  readonly #masked = new MaskedLog()
  readonly #withholdUntil: number
  #trouble: string | undefined
  #counted = NOTHING_COUNTED
  #heldOnce = false
  /** Masked, and not stored yet, for the disk did not take it. Its text lies where the next one will. */
  #stuck: MaskedBatch | undefined

  /** @throws ErrnoException */
  constructor({ folder, maxBytes, flood, withholdUntil = -1 }: OpenLogOptions, masker: Masker) {
    this.folder = folder
    this.#writer = new LogWriter({ folder, maxBytes }, masker)
    this.#intake = new Intake(this.#writer.memory, flood)
    this.#withholdUntil = withholdUntil
    if (this.#writer.tornBytes > 0)
      this.mark(
        'the last write before here was cut off, by a crash or a power cut, and is trimmed; what the engine still had follows',
      )
    if (this.#writer.lostItsPlace)
      this.mark('where the log went on is not known any more: lines may be missing here, or be there twice')
  }

  get tornBytes(): number {
    return this.#writer.tornBytes
  }

  get lostItsPlace(): boolean {
    return this.#writer.lostItsPlace
  }

  get diskBytes(): number {
    return this.#writer.diskBytes
  }

  /** Something waits to be stored, or to be made durable. */
  get waits(): boolean {
    return this.#stuck !== undefined || this.#intake.waits
  }

  /** The disk did not take it: nothing more may come, for what is remembered of the log goes to the disk with what was stored. */
  get isStuck(): boolean {
    return this.#stuck !== undefined
  }

  /** More waits than is masked at once. */
  get isFull(): boolean {
    const { waitingBytes } = this.#intake
    return waitingBytes >= BATCH_BYTES && !(waitingBytes < BATCH_BYTES + KEY_BYTES && this.#endsInKey)
  }

  /**
   * Whether what waits may end in the midst of a key whose first line is missing: then its last one tells what it is, and has to be masked with it. Asked
   * before it is stored in its turn; true once, for no line waits longer than a turn.
   */
  waitsForKey(): boolean {
    this.#heldOnce = !this.#heldOnce && this.#stuck === undefined && this.#endsInKey
    return this.#heldOnce
  }

  get #endsInKey(): boolean {
    return mayGoOn(this.#intake.lastText(LINE_BYTES))
  }

  get dirty(): boolean {
    return this.#writer.dirty
  }

  /** Nothing is half done. */
  get canRest(): boolean {
    return !this.waits && !this.dirty && !this.#intake.holds
  }

  place(): Place {
    const { memory } = this.#intake
    return { since: memory.since(false), sinceWholeSeconds: memory.since(true) }
  }

  begin(): void {
    this.#intake.begin()
    this.#masked.forget()
  }

  /** @throws Error when it is no log stream. */
  push(bytes: Buffer): void {
    this.#intake.push(bytes)
  }

  end(finished: boolean): void {
    this.#intake.end(finished)
  }

  mark(sentence: string): void {
    this.#intake.mark(sentence)
  }

  /** Masks what waits and stores it. @throws ErrnoException: then it waits on. */
  store(masker: Masker): void {
    this.#stuck ??= this.#intake.waits ? this.#mask(this.#intake.take(), masker) : undefined
    if (!this.#stuck) return
    const { lines, flood, withheld, ambiguous } = this.#stuck
    this.#writer.append(this.#stuck)
    this.#stuck = undefined
    const before = this.#counted
    this.#counted = {
      lines: before.lines + lines,
      flood: before.flood + flood,
      withheld: before.withheld + withheld,
      ambiguous: before.ambiguous + ambiguous,
      cap: 0,
    }
  }

  sync(): Promise<void> {
    return this.#writer.sync()
  }

  /** What was stored and left out since the last time. */
  counted(): Counted {
    const counted = { ...this.#counted, cap: this.#writer.takeDropped() }
    this.#counted = NOTHING_COUNTED
    return counted
  }

  /** What the engine said of its own trouble, once. */
  trouble(): string | undefined {
    const { trouble } = this.#intake
    if (trouble === this.#trouble) return undefined
    this.#trouble = trouble
    return trouble
  }

  /** Nothing came for a while. */
  rest(): void {
    this.#intake.rest()
  }

  /** @throws ErrnoException */
  seal(): void {
    this.#writer.seal()
  }

  lookAgain(): void {
    this.#writer.lookAgain()
  }

  close(): void {
    this.#writer.close()
  }

  #mask(batch: Batch, masker: Masker): MaskedBatch {
    const { rules, values } = masker
    const rest = { ...batch, rules, values, withheld: 0 }
    if (batch.text.length === 0) return rest
    try {
      if (secondsOf(batch.first) <= this.#withholdUntil) throw new Error('the mask was not done with them in time')
      return { ...rest, text: this.#masked.mask(masker, batch.text) }
    } catch (error) {
      const why = `${batch.lines} lines withheld, for they could not be masked: ${(error as Error).message}`
      return { ...rest, text: Buffer.from(`… ${why} …\n`), lines: 0, withheld: batch.lines }
    }
  }
}

function secondsOf(stamp: string | undefined): number {
  return stamp === undefined ? Infinity : Date.parse(stamp) / 1000
}
