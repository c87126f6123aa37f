/** A file of unknown length: compressed while it is produced, written once it is whole, in parts past the budget. */
import { createHash } from 'node:crypto'
import { SEGMENT_BYTES, type Compressor, type Segment } from './segments.ts'
import type { EntryWriter, FileMeta, WrittenFile } from './entry.ts'

/** Compressed bytes held by all unfinished files of one archive. */
export interface HeldBudget {
  bytes: number
}

/** All unfinished files together hold about this much; it bounds the memory of a bundle. */
const HELD_TOTAL_BYTES = 10 * 1024 * 1024

/** One file holds at most this much, some 50 MiB of logs, before a part of it is closed. */
const HELD_ENTRY_BYTES = 8 * 1024 * 1024

/** Below this a file is not split, even when the others have used the budget up: parts should be worth opening. */
const SMALLEST_PART_BYTES = 512 * 1024

export interface HeldEntryOptions {
  readonly meta: FileMeta
  readonly compressor: Compressor
  readonly budget: HeldBudget
  /** Reserves the path of a further part. */
  readonly claim: (path: string) => string
  /** Writes one part into the archive, header first; resolves when the stream has taken it. */
  readonly submit: (file: WrittenFile, body: { raw?: Buffer; segments?: Promise<Segment>[] }) => Promise<void>
}

export class HeldEntry implements EntryWriter {
  readonly #options: HeldEntryOptions
  #buffer: Buffer | undefined
  #filled = 0
  #segments: Promise<Segment>[] = []
  #segmentBytes = 0
  #heldBytes = 0
  #hash = createHash('sha256')
  readonly #written: WrittenFile[] = []

  constructor(options: HeldEntryOptions) {
    this.#options = options
  }

  get path(): string {
    return this.#options.meta.path
  }

  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      if (this.#filled === SEGMENT_BYTES) await this.#compress()
      this.#buffer ??= this.#options.compressor.buffer()
      const copied = chunk.copy(this.#buffer, this.#filled, offset)
      this.#filled += copied
      offset += copied
    }
  }

  async end(): Promise<WrittenFile[]> {
    try {
      if (this.#segments.length === 0) await this.#submitRaw()
      else {
        await this.#compress()
        await this.#closePart()
      }
    } finally {
      this.discard()
    }
    return this.#written
  }

  discard(): void {
    if (this.#buffer) this.#options.compressor.recycle(this.#buffer)
    this.#buffer = undefined
    this.#filled = 0
    this.#segments = []
    this.#options.budget.bytes -= this.#heldBytes
    this.#heldBytes = 0
  }

  /** Sends the full buffer to the compressor, and closes a part where the budget says so. */
  async #compress(): Promise<void> {
    const { compressor, budget } = this.#options
    if (!this.#buffer || this.#filled === 0) return
    const [buffer, filled] = [this.#buffer, this.#filled]
    this.#buffer = undefined
    this.#filled = 0
    this.#hash.update(buffer.subarray(0, filled))
    const { segment } = await compressor.compress(buffer, filled)
    this.#segments.push(segment)
    this.#segmentBytes += filled
    const overEntry = this.#heldBytes >= HELD_ENTRY_BYTES
    const overTotal = budget.bytes >= HELD_TOTAL_BYTES && this.#heldBytes >= SMALLEST_PART_BYTES
    if (overEntry || overTotal) await this.#closePart()
    else this.#count(segment)
  }

  /** Counts a segment when it is compressed, unless its part has been written by then. */
  #count(segment: Promise<Segment>): void {
    const part = this.#segments
    segment.then(
      ({ bytes }) => {
        if (part !== this.#segments) return
        this.#heldBytes += bytes.length
        this.#options.budget.bytes += bytes.length
      },
      () => {},
    )
  }

  async #closePart(): Promise<void> {
    if (this.#segments.length === 0) return
    const segments = this.#segments
    const file = this.#file(this.#segmentBytes)
    await this.#options.submit(file, { segments })
    this.#written.push(file)
    this.#segments = []
    this.#segmentBytes = 0
    this.#options.budget.bytes -= this.#heldBytes
    this.#heldBytes = 0
  }

  /** A file of less than a segment shares one with its neighbours. */
  async #submitRaw(): Promise<void> {
    // After a part, an empty rest is no file of its own.
    if (this.#written.length > 0 && this.#filled === 0) return
    const raw = this.#buffer ? this.#buffer.subarray(0, this.#filled) : Buffer.alloc(0)
    this.#hash.update(raw)
    const file = this.#file(raw.length)
    await this.#options.submit(file, { raw })
    this.#written.push(file)
  }

  #file(sizeBytes: number): WrittenFile {
    const number = this.#written.length + 1
    const part = number === 1 ? this.path : this.#options.claim(`${this.path}.part-${String(number).padStart(4, '0')}`)
    const sha256 = this.#hash.digest('hex')
    this.#hash = createHash('sha256')
    return { path: part, sizeBytes, sha256 }
  }
}
