/** A stretch of a log as diagd stored it: masked, and deflated so that it goes into an archive as it is. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { SourceError, type Opened, type SourceEnd } from './source.ts'

export interface MaskedSegment {
  /** Whole lines as raw deflate that refers to nothing before it, ended by a full flush. */
  readonly bytes: Buffer
  /** Of the text: its length, CRC-32, SHA-256 (hexadecimal). */
  readonly lengthBytes: number
  readonly crc32: number
  readonly sha256: string
  /** What it was masked with: rules, and how many secret values were known. */
  readonly rules: string
  readonly values: number
}

/** A source whose chunks are bytes to be masked, and such segments. */
export interface OpenedPieces extends Omit<Opened, 'chunks'> {
  readonly chunks: AsyncGenerator<Buffer | MaskedSegment, SourceEnd, void>
}

const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw)

/** Its text. Rejects with a `partial` SourceError when the bytes are not what was written. */
export async function textOfSegment({ bytes, lengthBytes, crc32 }: Omit<MaskedSegment, 'rules'>): Promise<Buffer> {
  const options = { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: lengthBytes + 1 }
  const text = await inflateRaw(bytes, options).catch(() => undefined)
  if (text?.length !== lengthBytes || zlib.crc32(text) !== crc32)
    throw new SourceError('partial', 'a segment of what is stored is damaged')
  return text
}
