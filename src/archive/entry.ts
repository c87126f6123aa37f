/** A file on its way into the archive. */

export interface FileMeta {
  /** Path in the archive; encoded and confined by the writer. */
  readonly path: string
  readonly mtimeMs: number
}

/** A file in the archive as it was written. */
export interface WrittenFile {
  readonly path: string
  readonly sizeBytes: number
  /** Hex; of a file that holds spliced segments, which nobody inflated, only where it is a single one. */
  readonly sha256?: string
  /** Of such a file: of all of it, 8 hexadecimal digits. */
  readonly crc32?: string
  /** And in order, without gaps: what was spliced, and the stretches between. */
  readonly segments?: readonly WrittenSegment[]
}

interface WrittenSegment {
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
}

/** Compressed by somebody else: raw deflate that refers to nothing before it, has no final block and is ended by a full flush. */
export interface DeflatedSegment {
  readonly bytes: Buffer
  /** Of the text: its length, CRC-32 and SHA-256. */
  readonly lengthBytes: number
  readonly crc32: number
  readonly sha256: string
}

export interface EntryWriter {
  readonly path: string
  /** Copies the bytes; resolves when more may come. */
  write(chunk: Buffer): Promise<void>
  /** Puts a segment behind what was written, as it is; not there where the format or the entry cannot. Keeps `bytes` until it is written. */
  splice?: ((segment: DeflatedSegment) => Promise<void>) | undefined
  /** Resolves with the files written: one, or several parts. */
  end(): Promise<WrittenFile[]>
  /** Gives the entry up: nothing more is written of it. */
  discard(): void
}
