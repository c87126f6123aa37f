/**
 * The write-ahead log of a SQLite database: which of its frames holds the newest committed content of a page.
 * Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */

export const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

const MAGIC = 0x377f0682
const FORMAT = 3007000

export interface WalHeader {
  readonly pageSize: number
  /** Drawn anew when the log starts over: a frame with other salts is from before. */
  readonly salts: readonly [number, number]
  readonly littleEndian: boolean
  readonly sum: Sum
}

export interface WalIndex {
  /** Page number → where in the log its content starts. */
  readonly pages: Map<number, number>
  /** Pages of the database after the last commit; undefined when nothing is committed here. */
  readonly pageCount: number | undefined
}

type Sum = readonly [number, number]

/** Reads up to `length` bytes at `position`, less only at the end of the log. The buffer may be used again by the next call. */
export type ReadLog = (position: number, length: number) => Promise<Buffer>

/** undefined: no log has begun here. */
export function parseWalHeader(bytes: Buffer): WalHeader | undefined {
  if (bytes.length < WAL_HEADER_BYTES) return undefined
  const magic = bytes.readUInt32BE(0)
  if ((magic & ~1) >>> 0 !== MAGIC || bytes.readUInt32BE(4) !== FORMAT) return undefined
  const littleEndian = (magic & 1) === 0
  const sum = summed(viewOf(bytes), 0, 24, littleEndian, [0, 0])
  if (sum[0] !== bytes.readUInt32BE(24) || sum[1] !== bytes.readUInt32BE(28)) return undefined
  return {
    pageSize: bytes.readUInt32BE(8),
    salts: [bytes.readUInt32BE(16), bytes.readUInt32BE(20)],
    littleEndian,
    sum,
  }
}

export function sameLog(one: WalHeader, other: WalHeader | undefined): boolean {
  return other !== undefined && one.salts[0] === other.salts[0] && one.salts[1] === other.salts[1]
}

/** As many frames as are looked at in one go: the loop gets its turn in between. */
const FRAMES_AT_ONCE = 128

/** Goes through the log up to its last commit, and no further than `mostFrames`. */
export async function indexWal(header: WalHeader, read: ReadLog, mostFrames = Infinity): Promise<WalIndex> {
  const pages = new Map<number, number>()
  let pageCount: number | undefined
  /** Frames whose commit has not been seen yet. */
  let open: [page: number, at: number][] = []
  for await (const frame of frames(header, read, mostFrames)) {
    open.push([frame.page, frame.at])
    if (frame.pageCount === 0) continue
    for (const [page, at] of open) pages.set(page, at)
    open = []
    pageCount = frame.pageCount
  }
  return { pages, pageCount }
}

interface Frame {
  readonly page: number
  /** Pages of the database after this commit; 0 when it is none. */
  readonly pageCount: number
  /** Where the content of the page starts in the log. */
  readonly at: number
}

/** The valid frames in their order: what a crash left behind the end, or is still being written, does not add up. */
async function* frames(header: WalHeader, read: ReadLog, mostFrames: number): AsyncGenerator<Frame> {
  const { salts, littleEndian } = header
  const frameBytes = FRAME_HEADER_BYTES + header.pageSize
  let { sum } = header
  for (let index = 0; index < mostFrames;) {
    const start = WAL_HEADER_BYTES + index * frameBytes
    const bytes = await read(start, frameBytes * Math.min(FRAMES_AT_ONCE, mostFrames - index))
    const whole = Math.floor(bytes.length / frameBytes)
    if (whole === 0) return
    const view = viewOf(bytes)
    for (let at = 0; at < whole * frameBytes; at += frameBytes) {
      if (view.getUint32(at + 8) !== salts[0] || view.getUint32(at + 12) !== salts[1]) return
      sum = summed(view, at, at + 8, littleEndian, sum)
      sum = summed(view, at + FRAME_HEADER_BYTES, at + frameBytes, littleEndian, sum)
      if (view.getUint32(at + 16) !== sum[0] || view.getUint32(at + 20) !== sum[1]) return
      yield { page: view.getUint32(at), pageCount: view.getUint32(at + 4), at: start + at + FRAME_HEADER_BYTES }
    }
    index += whole
  }
}

/** SQLite's checksum, over pairs of words; each goes on from the one before. */
function summed(view: DataView, from: number, to: number, littleEndian: boolean, [first, second]: Sum): Sum {
  for (let at = from; at < to; at += 8) {
    first = (first + view.getUint32(at, littleEndian) + second) >>> 0
    second = (second + view.getUint32(at + 4, littleEndian) + first) >>> 0
  }
  return [first, second]
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
