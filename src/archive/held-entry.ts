/** A file of unknown length: compressed while it is produced, written once it is whole, in parts past the budget. */
import { createHash } from 'node:crypto'
import { combineCrc32 } from './crc32.ts'
import type { DeflatedSegment, EntryWriter, FileMeta, WrittenFile } from './entry.ts'
import { SEGMENT_BYTES, type Compressor, type Segment } from './segments.ts'

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
  /** Bytes of the stretch that is hashed; the whole part as long as nothing was spliced into it. */
  #hashedBytes = 0
  #stretches: { sizeBytes: number; sha256: string }[] = []
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

  get splice(): ((segment: DeflatedSegment) => Promise<void>) | undefined {
    return this.#options.compressor.splices ? (segment) => this.#splice(segment) : undefined
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

  async #splice({ bytes, lengthBytes, crc32, sha256 }: DeflatedSegment): Promise<void> {
    await this.#compress()
    if (lengthBytes === 0) return
    this.#endStretch()
    this.#stretches.push({ sizeBytes: lengthBytes, sha256 })
    this.#segments.push(Promise.resolve({ bytes, lengthBytes, crc32 }))
    this.#segmentBytes += lengthBytes
    this.#hold(bytes.length)
    if (this.#isOverBudget) await this.#closePart()
  }

  /** Sends the full buffer to the compressor, and closes a part where the budget says so. */
  async #compress(): Promise<void> {
    const { compressor } = this.#options
    if (!this.#buffer || this.#filled === 0) return
    const [buffer, filled] = [this.#buffer, this.#filled]
    this.#buffer = undefined
    this.#filled = 0
    this.#digest(buffer.subarray(0, filled))
    const { segment } = await compressor.compress(buffer, filled)
    this.#segments.push(segment)
    this.#segmentBytes += filled
    if (this.#isOverBudget) await this.#closePart()
    else this.#count(segment)
  }

  get #isOverBudget(): boolean {
    const overTotal = this.#options.budget.bytes >= HELD_TOTAL_BYTES && this.#heldBytes >= SMALLEST_PART_BYTES
    return overTotal || this.#heldBytes >= HELD_ENTRY_BYTES
  }

  /** Counts a segment when it is compressed, unless its part has been written by then. */
  #count(segment: Promise<Segment>): void {
    const part = this.#segments
    segment.then(
      ({ bytes }) => {
        if (part !== this.#segments) return
        this.#hold(bytes.length)
      },
      () => {},
    )
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes
    this.#options.budget.bytes += bytes
  }

  #digest(bytes: Buffer): void {
    this.#hash.update(bytes)
    this.#hashedBytes += bytes.length
  }

  #endStretch(): void {
    if (this.#hashedBytes === 0) return
    this.#stretches.push({ sizeBytes: this.#hashedBytes, sha256: this.#hash.digest('hex') })
    this.#hash = createHash('sha256')
    this.#hashedBytes = 0
  }

  async #closePart(): Promise<void> {
    if (this.#segments.length === 0) return
    const segments = this.#segments
    const file = this.#file(this.#segmentBytes, this.#stretches.length > 0 ? await crcOf(segments) : undefined)
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
    this.#digest(raw)
    const file = this.#file(raw.length)
    await this.#options.submit(file, { raw })
    this.#written.push(file)
  }

  /** `crc`: of a part that holds what was spliced. */
  #file(sizeBytes: number, crc?: number): WrittenFile {
    const number = this.#written.length + 1
    const part = number === 1 ? this.path : this.#options.claim(`${this.path}.part-${String(number).padStart(4, '0')}`)
    if (crc !== undefined) {
      this.#endStretch()
      const segments = this.#stretches
      this.#stretches = []
      const sums = { crc32: crc.toString(16).padStart(8, '0'), segments }
      // A single segment is the file.
      const [only, another] = segments
      return { path: part, sizeBytes, ...(only && !another && { sha256: only.sha256 }), ...sums }
    }
    const sha256 = this.#hash.digest('hex')
    this.#hash = createHash('sha256')
    this.#hashedBytes = 0
    return { path: part, sizeBytes, sha256 }
  }
}

async function crcOf(segments: readonly Promise<Segment>[]): Promise<number> {
  const all = await Promise.all(segments)
  return all.reduce((crc, { crc32, lengthBytes }) => combineCrc32(crc, crc32, lengthBytes), 0)
}
