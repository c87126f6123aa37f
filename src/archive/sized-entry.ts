/** A file of known length: its header goes first, its bytes straight through, in its turn. */
import { createHash } from 'node:crypto'
import type { EntryWriter, WrittenFile } from './entry.ts'

export interface SizedEntryOptions {
  /** Waits for the turn and writes the header; returns the release of the turn. */
  readonly begin: () => Promise<() => void>
  readonly raw: (bytes: Buffer) => Promise<void>
  readonly finish: (file: WrittenFile) => Promise<void>
}

export class SizedEntry implements EntryWriter {
  readonly path: string
  readonly #sizeBytes: number
  readonly #options: SizedEntryOptions
  readonly #hash = createHash('sha256')
  #bytes = 0
  #release: (() => void) | undefined

  constructor(path: string, sizeBytes: number, options: SizedEntryOptions) {
    this.path = path
    this.#sizeBytes = sizeBytes
    this.#options = options
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#bytes + chunk.length > this.#sizeBytes) {
      throw new RangeError(`${this.path}: more bytes than the ${this.#sizeBytes} announced`)
    }
    this.#release ??= await this.#options.begin()
    this.#hash.update(chunk)
    this.#bytes += chunk.length
    await this.#options.raw(chunk)
  }

  async end(): Promise<WrittenFile[]> {
    if (this.#bytes !== this.#sizeBytes) {
      throw new RangeError(`${this.path}: ${this.#bytes} bytes written, ${this.#sizeBytes} announced`)
    }
    this.#release ??= await this.#options.begin()
    const file = { path: this.path, sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') }
    await this.#options.finish(file)
    this.#release()
    return [file]
  }

  /** Before the first byte nothing is written; after it only a failure of the whole stream ends it early. */
  discard(): void {
    this.#release?.()
  }
}
