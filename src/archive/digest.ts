/** The sums of a file on its way by: of all of it, and of each of its segments. */
import { createHash } from 'node:crypto'
import zlib from 'node:zlib'
import type { WrittenFile } from './entry.ts'

/** What a file of an archive turned out to be. */
export interface SeenFile extends Required<Omit<WrittenFile, 'path' | 'segments'>> {
  /** When it is told where they end. */
  readonly segments: WrittenFile['segments'] | undefined
}

export class FileDigest {
  readonly #hash = createHash('sha256')
  readonly #borders: readonly number[] | undefined
  readonly #segments: { sizeBytes: number; sha256: string }[] = []
  #segment = createHash('sha256')
  #segmentBytes = 0
  #crc = 0
  sizeBytes = 0

  /** `borders`: the lengths of its segments. */
  constructor(borders: readonly number[] | undefined) {
    this.#borders = borders
  }

  update(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.#crc = zlib.crc32(chunk, this.#crc)
    this.sizeBytes += chunk.length
    if (!this.#borders) return
    for (let at = 0; at < chunk.length;) {
      const left = (this.#borders[this.#segments.length] ?? Infinity) - this.#segmentBytes
      const piece = chunk.subarray(at, at + left)
      this.#segment.update(piece)
      this.#segmentBytes += piece.length
      at += piece.length
      if (piece.length === left) this.#endSegment()
    }
  }

  end(): SeenFile {
    if (this.#segmentBytes > 0) this.#endSegment()
    return {
      sizeBytes: this.sizeBytes,
      sha256: this.#hash.digest('hex'),
      crc32: this.#crc.toString(16).padStart(8, '0'),
      segments: this.#borders && this.#segments,
    }
  }

  #endSegment(): void {
    this.#segments.push({ sizeBytes: this.#segmentBytes, sha256: this.#segment.digest('hex') })
    this.#segment = createHash('sha256')
    this.#segmentBytes = 0
  }
}
