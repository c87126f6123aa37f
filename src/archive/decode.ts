/** Bundles read back: the format by its first bytes, decompressed as it comes, with the end of the stream examined. */
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import type { Format } from '../collect/types.ts'
import { zstdFrames } from './zstd-frames.ts'

/** How the compressed stream ended; both absent when it ended as it should. */
export interface StreamEnd {
  /** It stops before its end. */
  readonly cut?: string
  /** What is there is not what was written. */
  readonly damaged?: string
}

export type Decoded = AsyncGenerator<Buffer, StreamEnd, void>

/** undefined when the first bytes (512 of them, or all there are) are of no format a bundle has. */
export function detectFormat(start: Buffer): Format | undefined {
  if (start.subarray(0, 3).equals(Buffer.from([0x1f, 0x8b, 8]))) return 'tar.gz'
  if (start.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) || isSkippable(start)) return 'tar.zst'
  return start.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined
}

export function decode(format: Format, input: AsyncIterable<Buffer>): Decoded {
  if (format === 'tar.gz') return gunzip(input)
  if (format === 'tar.zst') return unzstd(input)
  return plain(input)
}

function isSkippable(start: Buffer): boolean {
  return start.length >= 4 && (start.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50
}

const FLAG_CHECKSUM = 2
const FLAG_EXTRA = 4
const FLAG_NAME = 8
const FLAG_COMMENT = 16
const TRAILER_BYTES = 8

/**
 * One gzip member (RFC 1952). Node's own gunzip passes over what follows it in some cases and tells nothing of what
 * came before a cut in others, so header and trailer are read here.
 */
async function* gunzip(input: AsyncIterable<Buffer>): Decoded {
  const chunks = input[Symbol.asyncIterator]()
  const header = await gzipHeader(chunks)
  if (!header) return { cut: 'it stops inside the header of the gzip stream' }
  const inflate = zlib.createInflateRaw({ finishFlush: zlib.constants.Z_SYNC_FLUSH })
  const fed = feed(inflate, prepend(header, chunks))
  let crc = 0
  let length = 0
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      crc = zlib.crc32(chunk, crc)
      length += chunk.length
      yield chunk
    }
  } catch (error) {
    return {
      damaged: `the gzip stream cannot be decompressed after ${length} bytes of content (${(error as Error).message})`,
    }
  } finally {
    inflate.destroy()
  }
  const rest = await fed
  if (rest.length < TRAILER_BYTES) return { cut: 'the gzip stream stops before its end' }
  if (rest.length > TRAILER_BYTES)
    return { damaged: `${rest.length - TRAILER_BYTES} bytes follow the end of the gzip stream` }
  const matches = rest.start.readUInt32LE(0) === crc && rest.start.readUInt32LE(4) === length % 2 ** 32
  return matches ? {} : { damaged: 'the checksum of the gzip stream does not match its content' }
}

interface Rest {
  /** All bytes after the last one that the decompressor took. */
  readonly length: number
  /** The first of them, as many as a trailer has. */
  readonly start: Buffer
}

/** Feeds the decompressor until it takes no more, and counts the rest. Never rejects: the reader gets the error. */
async function feed(inflate: Decompressor, input: AsyncIterable<Buffer>): Promise<Rest> {
  let fed = 0
  let length = 0
  let start = Buffer.alloc(0)
  try {
    for await (const chunk of input) {
      let rest = chunk
      if (length === 0) {
        fed += chunk.length
        if (!(await taken(inflate, chunk))) break
        rest = chunk.subarray(chunk.length - (fed - inflate.bytesWritten))
      }
      length += rest.length
      start = Buffer.concat([start, rest.subarray(0, TRAILER_BYTES - start.length)])
    }
    inflate.end()
  } catch (error) {
    inflate.destroy(error as Error)
  }
  return { length, start }
}

type Decompressor = Transform & { readonly bytesWritten: number }

/** Resolves when the chunk is worked off; false when the stream broke, or nobody reads it any more. */
async function taken(stream: Decompressor, chunk: Buffer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('close', resolve)
  stream.write(chunk, () => resolve())
  await promise
  stream.off('close', resolve)
  return stream.readableEnded || !stream.destroyed
}

/** Name and comment have no limit of their own; more than any has. */
const LONGEST_HEADER_BYTES = 64 * 1024

/** Takes the header off and gives what follows it, undefined when there is no whole one. */
async function gzipHeader(chunks: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  let bytes = Buffer.alloc(0)
  do {
    const next = await chunks.next()
    if (next.done) return undefined
    bytes = Buffer.concat([bytes, next.value])
    const end = gzipHeaderEnd(bytes)
    if (end !== undefined) return bytes.subarray(end)
  } while (bytes.length < LONGEST_HEADER_BYTES)
  return undefined
}

function gzipHeaderEnd(bytes: Buffer): number | undefined {
  if (bytes.length < 10) return undefined
  const flags = bytes[3]!
  let end = 10
  if (flags & FLAG_EXTRA) {
    if (bytes.length < end + 2) return undefined
    end += 2 + bytes.readUInt16LE(end)
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if (!(flags & flag)) continue
    const zero = bytes.indexOf(0, end)
    if (zero === -1) return undefined
    end = zero + 1
  }
  if (flags & FLAG_CHECKSUM) end += 2
  return end <= bytes.length ? end : undefined
}

/** Concatenated zstd frames (RFC 8878). Node stops after the first frame of a chunk, so it gets them one by one. */
async function* unzstd(input: AsyncIterable<Buffer>): Decoded {
  const decompress = zlib.createZstdDecompress({ finishFlush: zlib.constants.ZSTD_e_continue })
  let length = 0
  const feeding = feedFrames(decompress, input)
  try {
    for await (const chunk of decompress as AsyncIterable<Buffer>) {
      length += chunk.length
      yield chunk
    }
  } catch (error) {
    return {
      damaged: `the zstd stream cannot be decompressed after ${length} bytes of content (${(error as Error).message})`,
    }
  } finally {
    decompress.destroy()
  }
  return feeding
}

/** Never rejects: the reader gets the error. */
async function feedFrames(decompress: Decompressor, input: AsyncIterable<Buffer>): Promise<StreamEnd> {
  const frames = zstdFrames(input)
  try {
    for (let next = await frames.next(); ; next = await frames.next()) {
      if (next.done) {
        decompress.end()
        return next.value
      }
      if (!(await taken(decompress, next.value))) return {}
    }
  } catch (error) {
    decompress.destroy(error as Error)
    return {}
  }
}

/** A tar ends with two blocks of zeros (POSIX ustar). */
const TAR_END_BYTES = 1024

async function* plain(input: AsyncIterable<Buffer>): Decoded {
  let tail = Buffer.alloc(0)
  let length = 0
  for await (const chunk of input) {
    length += chunk.length
    tail = Buffer.from(Buffer.concat([tail, chunk.subarray(-TAR_END_BYTES)]).subarray(-TAR_END_BYTES))
    yield chunk
  }
  const ended = length % 512 === 0 && tail.length === TAR_END_BYTES && tail.every((byte) => byte === 0)
  return ended ? {} : { cut: 'the tar archive stops before its end' }
}

async function* prepend(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  if (first.length > 0) yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}
