/**
 * A segment on the disk: a member of gzip (RFC 1952) whose extra field holds its header, so that any gunzip reads the file and
 * diagd finds the raw deflate inside.
 *
 *     1f 8b 08 06 … | extra: 'D' 'g', length, JSON | CRC-16 of the header | raw deflate, full flush | 03 00 | CRC-32, length
 */
import { createHash } from 'node:crypto'
import zlib from 'node:zlib'
import type { SegmentFacts } from '../container.ts'

/** Text of one segment is about so long: what a piece of an archive is (src/archive/segments.ts). */
export const SEGMENT_TEXT_BYTES = 1024 * 1024
/** Nothing longer is written: a header that says so is none. */
const MOST_BYTES = 16 * 1024 * 1024

/** What is read to find a header: it has some 400 bytes. */
export const HEADER_READ_BYTES = 1024

/** Fixed part, length of the extra field, and the name and length of ours in it. */
const BEFORE_JSON_BYTES = 16
const AFTER_JSON_BYTES = 2
/** The empty final block, CRC-32 and length. */
const TRAILER_BYTES = 10
const FORMAT = 1

export type SegmentInput = Omit<SegmentFacts, 'lengthBytes' | 'deflatedBytes' | 'deflatedCrc32' | 'crc32' | 'sha256'>

/** The whole member. */
export function encodeSegment(text: Buffer, input: SegmentInput, level: number): Buffer {
  const deflated = zlib.deflateRawSync(text, {
    level,
    memLevel: 9,
    finishFlush: zlib.constants.Z_FULL_FLUSH,
    chunkSize: 128 * 1024,
  })
  const facts: SegmentFacts = {
    ...input,
    lengthBytes: text.length,
    deflatedBytes: deflated.length,
    deflatedCrc32: zlib.crc32(deflated),
    crc32: zlib.crc32(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  }
  const json = Buffer.from(JSON.stringify({ format: FORMAT, ...facts }))
  const header = Buffer.alloc(BEFORE_JSON_BYTES + json.length + AFTER_JSON_BYTES)
  // Deflate; header CRC and extra field; no time; Unix.
  header.set([0x1f, 0x8b, 8, 0b110, 0, 0, 0, 0, 0, 3])
  header.writeUInt16LE(json.length + 4, 10)
  header.write('Dg', 12, 'latin1')
  header.writeUInt16LE(json.length, 14)
  json.copy(header, BEFORE_JSON_BYTES)
  const summed = header.length - AFTER_JSON_BYTES
  header.writeUInt16LE(zlib.crc32(header.subarray(0, summed)) & 0xffff, summed)
  const trailer = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0])
  trailer.writeUInt32LE(facts.crc32, 2)
  trailer.writeUInt32LE(text.length, 6)
  return Buffer.concat([header, deflated, trailer])
}

export interface SegmentPlace {
  readonly facts: SegmentFacts
  /** Of the raw deflate, and of all of it, from the first byte of the member. */
  readonly deflateAt: number
  readonly memberBytes: number
}

/** Reads the header at the beginning of `bytes`; undefined when there is none, or not all of it, or of another format. */
export function decodeHeader(bytes: Buffer): SegmentPlace | undefined {
  if (bytes.length < BEFORE_JSON_BYTES || bytes.readUInt32BE(0) !== 0x1f8b0806) return undefined
  if (bytes.toString('latin1', 12, 14) !== 'Dg') return undefined
  const summed = BEFORE_JSON_BYTES + bytes.readUInt16LE(14)
  const deflateAt = summed + AFTER_JSON_BYTES
  if (bytes.length < deflateAt) return undefined
  if ((zlib.crc32(bytes.subarray(0, summed)) & 0xffff) !== bytes.readUInt16LE(summed)) return undefined
  const { format, ...facts } = JSON.parse(bytes.toString('utf8', BEFORE_JSON_BYTES, summed)) as SegmentFacts & {
    format: number
  }
  if (format !== FORMAT || facts.deflatedBytes > MOST_BYTES || facts.lengthBytes > MOST_BYTES) return undefined
  return { facts, deflateAt, memberBytes: deflateAt + facts.deflatedBytes + TRAILER_BYTES }
}

/** The text of a segment. @throws Error when the bytes are not what was written. */
export function inflateSegment({ bytes, crc32, lengthBytes, number }: SegmentFacts & { bytes: Buffer }): Buffer {
  const text = zlib.inflateRawSync(bytes, {
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
    maxOutputLength: MOST_BYTES,
  })
  if (text.length !== lengthBytes || zlib.crc32(text) !== crc32) throw new Error(`segment ${number} is damaged`)
  return text
}
