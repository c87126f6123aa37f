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
  /** Hex. */
  readonly sha256: string
}

export interface EntryWriter {
  readonly path: string
  /** Copies the bytes; resolves when more may come. */
  write(chunk: Buffer): Promise<void>
  /** Resolves with the files written: one, or several parts. */
  end(): Promise<WrittenFile[]>
  /** Gives the entry up: nothing more is written of it. */
  discard(): void
}
