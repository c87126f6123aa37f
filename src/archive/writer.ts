/**
 * The archive writer: files of known and unknown length from many sources at once, one tar stream out.
 *
 * A file of unknown length is compressed while it is produced and held in memory, compressed, until its length is known
 * and its header can be written. Memory for that is bounded: past the budget what is there is closed as a part of the
 * file, and the rest goes on in `<name>.part-0002`. A file of known length is written straight through in its turn.
 */
import { bordersComment } from './borders.ts'
import type { Codec } from './codec.ts'
import type { EntryWriter, FileMeta, WrittenFile } from './entry.ts'
import { EntryPaths } from './entry-path.ts'
import { HeldEntry, type HeldBudget } from './held-entry.ts'
import { Output, type Sink } from './output.ts'
import { Compressor, SEGMENT_BYTES, type Segment } from './segments.ts'
import { SizedEntry } from './sized-entry.ts'
import { TAR_END, tarHeader, tarPadding } from './tar.ts'
import { Turn } from './turn.ts'

/** Small files are gathered for this long before they go out as one segment. */
const GATHER_MS = 100

export class ArchiveWriter {
  readonly #output: Output
  readonly #compressor: Compressor
  readonly #turn = new Turn()
  readonly #paths = new EntryPaths()
  readonly #held: HeldBudget = { bytes: 0 }
  readonly #top: string
  #batch: Buffer
  #batchBytes = 0
  #gatherTimer: NodeJS.Timeout | undefined
  readonly files: WrittenFile[] = []

  constructor(sink: Sink, codec: Codec, top: string, idleMs?: number) {
    this.#output = new Output(sink, codec, idleMs)
    this.#compressor = new Compressor(codec)
    this.#top = top
    this.#batch = this.#compressor.buffer()
  }

  get bytesIn(): number {
    return this.#output.bytesIn
  }

  get bytesOut(): number {
    return this.#output.bytesOut
  }

  /** Opens a file of unknown length. Throws EntryPathError. */
  file(meta: FileMeta): EntryWriter {
    const path = this.#paths.claim(meta.path)
    return new HeldEntry({
      meta: { path, mtimeMs: meta.mtimeMs },
      compressor: this.#compressor,
      budget: this.#held,
      claim: (part) => this.#paths.claim(part),
      submit: (file, body) => this.#submit(file, meta.mtimeMs, body),
    })
  }

  /** Opens a file whose length is known; exactly that many bytes have to follow. Throws EntryPathError. */
  sizedFile(meta: FileMeta & { readonly sizeBytes: number }): EntryWriter {
    const path = this.#paths.claim(meta.path)
    return new SizedEntry(path, meta.sizeBytes, {
      begin: async () => {
        const release = await this.#turn.take()
        await this.#raw(await this.#header(path, meta.sizeBytes, meta.mtimeMs))
        return release
      },
      raw: (bytes) => this.#raw(bytes),
      finish: async (file) => {
        await this.#raw(tarPadding(file.sizeBytes))
        this.files.push(file)
        this.#gather()
      },
    })
  }

  /** A small file at once. */
  async add(meta: FileMeta, content: Buffer | string): Promise<WrittenFile[]> {
    const entry = this.file(meta)
    await entry.write(Buffer.from(content))
    return entry.end()
  }

  /** Sends what is gathered; resolves when the sink has taken it. */
  async flush(): Promise<void> {
    const release = await this.#turn.take()
    try {
      await this.#flushBatch()
    } finally {
      release()
    }
    await this.#output.drained()
  }

  /** Closes the archive behind its last entry. */
  async end(): Promise<void> {
    const release = await this.#turn.take()
    clearTimeout(this.#gatherTimer)
    await this.#raw(TAR_END)
    await this.#flushBatch()
    release()
    await this.#output.end()
    this.#compressor.close()
  }

  /** Stops all timers; the archive stays unfinished. */
  destroy(): void {
    clearTimeout(this.#gatherTimer)
    this.#output.close()
    this.#compressor.close()
  }

  /** Writes a whole file: header, body (raw or already compressed), padding. */
  async #submit(
    file: WrittenFile,
    mtimeMs: number,
    body: { raw?: Buffer; segments?: Promise<Segment>[] },
  ): Promise<void> {
    const release = await this.#turn.take()
    try {
      const comment = file.segments && bordersComment(file.segments)
      await this.#raw(await this.#header(file.path, file.sizeBytes, mtimeMs, comment))
      if (body.raw) await this.#raw(body.raw)
      if (body.segments) {
        await this.#flushBatch()
        for (const segment of body.segments) await this.#output.append(segment)
      }
      await this.#raw(tarPadding(file.sizeBytes))
      this.files.push(file)
    } finally {
      release()
    }
    this.#gather()
  }

  #header(path: string, sizeBytes: number, mtimeMs: number, comment?: string): Promise<Buffer> {
    return tarHeader({ path: `${this.#top}/${path}`, sizeBytes, mtimeMs, comment })
  }

  /** Appends tar bytes; full segments leave for the compressor. Only whoever has the turn calls it. */
  async #raw(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const copied = bytes.copy(this.#batch, this.#batchBytes, offset)
      offset += copied
      this.#batchBytes += copied
      if (this.#batchBytes === SEGMENT_BYTES) await this.#flushBatch()
    }
  }

  async #flushBatch(): Promise<void> {
    if (this.#batchBytes === 0) return
    const { segment } = await this.#compressor.compress(this.#batch, this.#batchBytes)
    this.#batch = this.#compressor.buffer()
    this.#batchBytes = 0
    await this.#output.append(segment)
  }

  /** Soon sends what small files have left in the batch: a cut download should hold what was complete. */
  #gather(): void {
    if (this.#gatherTimer || this.#batchBytes === 0) return
    this.#gatherTimer = setTimeout(() => {
      this.#gatherTimer = undefined
      // A failure of the sink reaches whoever writes next.
      if (this.#turn.free) this.flush().catch(() => {})
    }, GATHER_MS)
  }
}
