/**
 * What is not in a segment yet: records, each written once and whole or not at all. The first one says which segment this will become and
 * holds the frames that are remembered; every further one holds text, and the frames that came with it.
 *
 *     'DgT1', bytes of JSON, frames and text, CRC-32 of the three | JSON | frames | text | bytes of all this, 'DgTe'
 *
 * Two files take turns: while a segment is written, the tail it is made of is still there.
 */
import { readFileSync } from 'node:fs'
import zlib from 'node:zlib'

/** Cumulative, of the whole log. */
export interface Totals {
  readonly lines: number
  readonly textBytes: number
  readonly flood: number
  readonly withheld: number
  readonly ambiguous: number
}

/** As of the end of this record. */
export interface TailHead {
  /** The number of the segment it will become. */
  readonly number: number
  readonly totals: Totals
  /** Of all of this tail, oldest and newest; none when it has no lines. */
  readonly first?: string
  readonly last?: string
  /** Of the frames that came. */
  readonly highestSeconds: number
  /** What all of this tail is masked with; of several the fewest known values. */
  readonly rules: string
  readonly values: number
}

export interface TailRecord {
  readonly head: TailHead
  readonly frames: Uint32Array
  readonly text: Buffer
}

/** What a tail file holds, up to the first record that is not whole. */
export interface Tail {
  readonly number: number
  readonly records: readonly TailRecord[]
  /** Where the next one is written. */
  readonly endBytes: number
  /** Bytes after that which are no record: a write that was cut off. */
  readonly tornBytes: number
}

const BEGIN = Buffer.from('DgT1')
const END = Buffer.from('DgTe')
const HEAD_BYTES = 20
const END_BYTES = 8
/** More than a tail ever has: a file that is larger is none of ours. */
const MOST_BYTES = 32 * 1024 * 1024

export function tailPath(folder: string, number: number): string {
  return `${folder}/tail-${number % 2}`
}

/** In pieces, and how long they are together. */
export function encodeRecord({ head, frames, text }: TailRecord): { pieces: Buffer[]; bytes: number } {
  const json = Buffer.from(JSON.stringify(head))
  const frameBytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
  const start = Buffer.alloc(HEAD_BYTES)
  BEGIN.copy(start)
  start.writeUInt32LE(json.length, 4)
  start.writeUInt32LE(frameBytes.length, 8)
  start.writeUInt32LE(text.length, 12)
  start.writeUInt32LE(zlib.crc32(text, zlib.crc32(frameBytes, zlib.crc32(json))), 16)
  const end = Buffer.alloc(END_BYTES)
  const bytes = HEAD_BYTES + json.length + frameBytes.length + text.length + END_BYTES
  end.writeUInt32LE(bytes, 0)
  END.copy(end, 4)
  return { pieces: [start, json, frameBytes, text, end], bytes }
}

/** undefined when the file is not there, or does not begin with a whole record. */
export function readTail(folder: string, number: number): Tail | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(tailPath(folder, number))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return decodeTail(bytes)
}

/** undefined when it does not begin with a whole record. */
export function decodeTail(bytes: Buffer): Tail | undefined {
  if (bytes.length > MOST_BYTES) return undefined
  const records: TailRecord[] = []
  let at = 0
  for (;;) {
    const found = decodeRecord(bytes, at)
    if (!found || (records.length > 0 && found.record.head.number !== records[0]!.head.number)) break
    records.push(found.record)
    at = found.endBytes
  }
  const [first] = records
  return first && { number: first.head.number, records, endBytes: at, tornBytes: bytes.length - at }
}

function decodeRecord(bytes: Buffer, at: number): { record: TailRecord; endBytes: number } | undefined {
  if (bytes.length < at + HEAD_BYTES || !bytes.subarray(at, at + 4).equals(BEGIN)) return undefined
  const jsonAt = at + HEAD_BYTES
  const framesAt = jsonAt + bytes.readUInt32LE(at + 4)
  const textAt = framesAt + bytes.readUInt32LE(at + 8)
  const endAt = textAt + bytes.readUInt32LE(at + 12)
  if (bytes.length < endAt + END_BYTES || zlib.crc32(bytes.subarray(jsonAt, endAt)) !== bytes.readUInt32LE(at + 16))
    return undefined
  const head = JSON.parse(bytes.toString('utf8', jsonAt, framesAt)) as TailHead
  // A copy: it may not lie where a word of memory begins.
  const frames = new Uint32Array(new Uint8Array(bytes.subarray(framesAt, textAt)).buffer)
  return { record: { head, frames, text: bytes.subarray(textAt, endAt) }, endBytes: endAt + END_BYTES }
}

/** The head of the last record, read from the end of the file; undefined when that is torn, or is no record. */
export async function lastHead(
  end: Buffer,
  read: (at: number, bytes: number) => Promise<Buffer>,
  sizeBytes: number,
): Promise<TailHead | undefined> {
  if (end.length < END_BYTES || !end.subarray(4).equals(END)) return undefined
  const at = sizeBytes - end.readUInt32LE(0)
  if (at < 0) return undefined
  const start = await read(at, HEAD_BYTES)
  if (start.length < HEAD_BYTES || !start.subarray(0, 4).equals(BEGIN)) return undefined
  const json = await read(at + HEAD_BYTES, start.readUInt32LE(4))
  try {
    return JSON.parse(json.toString()) as TailHead
  } catch {
    return undefined
  }
}
