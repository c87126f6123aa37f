/** The pages of a database: from the newest committed frame of its log, else from its file. */
import type { FileHandle } from 'node:fs/promises'
import type { Held } from './sqlite-worker.ts'
import { WAL_HEADER_BYTES, indexWal, parseWalHeader, sameLog, type WalHeader } from './sqlite-wal.ts'

export interface DatabaseFiles {
  readonly main: FileHandle
  readonly log: FileHandle | undefined
}

export interface Pages {
  readonly sizeBytes: number
  /** Fills the buffer from `position` on, both whole pages; the last buffer may be shorter. */
  read(position: number, buffer: Buffer): Promise<void>
}

const MAGIC = Buffer.from('SQLite format 3\0')
const HEADER_BYTES = 100
/** Where the header says that the database is in WAL mode: the versions of the format for writing and reading. */
const WRITE_VERSION = 18
const READ_VERSION = 19
const IN_WAL_MODE = 2
/** The log can begin anew once while a transaction is held, and is then left alone. */
const MOST_RESTARTS = 4

/** `held`: what the read transaction sees; without one, the files are taken as they stand. */
export async function openPages(files: DatabaseFiles, held: Held | undefined): Promise<Pages> {
  const head = await readUpTo(files.main, Buffer.alloc(HEADER_BYTES), 0)
  const pageSize = held?.pageSize ?? pageSizeOf(head)
  const usesLog = held?.wal ?? head[READ_VERSION] === IN_WAL_MODE
  const log = usesLog && files.log ? await openLog(files.log, pageSize, held?.frames) : undefined
  const pageCount = log?.pageCount ?? held?.pageCount
  const sizeBytes = pageCount === undefined ? (await files.main.stat()).size : pageCount * pageSize
  const read = async (position: number, buffer: Buffer) => {
    const inFile = (await readUpTo(files.main, buffer, position)).length
    const fromLog = await log?.overlay(position, buffer)
    const first = Math.floor(inFile / pageSize) * pageSize
    for (let at = first; inFile < buffer.length && at < buffer.length; at += pageSize)
      if (!fromLog?.has((position + at) / pageSize + 1)) throw new Error(`ends at byte ${position + inFile}`)
    if (position === 0) asOneFile(buffer)
  }
  return { sizeBytes, read }
}

interface Log {
  readonly pageCount: number | undefined
  /** Writes over those pages of the buffer that the log has; their numbers. */
  overlay(position: number, buffer: Buffer): Promise<ReadonlySet<number>>
}

const NONE: ReadonlySet<number> = new Set()

async function openLog(file: FileHandle, pageSize: number, mostFrames = Infinity): Promise<Log | undefined> {
  for (let restarts = 0; restarts < MOST_RESTARTS; restarts++) {
    const header = await headerOf(file)
    if (header?.pageSize !== pageSize) return undefined
    const index = await indexWal(header, reading(file), mostFrames)
    if (sameLog(header, await headerOf(file))) return logOf(file, header, index.pages, index.pageCount, pageSize)
  }
  throw new Error('its log began anew again and again')
}

function logOf(
  file: FileHandle,
  header: WalHeader,
  pages: Map<number, number>,
  pageCount: number | undefined,
  pageSize: number,
): Log {
  const overlay = async (position: number, buffer: Buffer) => {
    const first = position / pageSize + 1
    const wanted = [...Array(Math.ceil(buffer.length / pageSize)).keys()].filter((at) => pages.has(first + at))
    if (wanted.length === 0) return NONE
    const content = Buffer.allocUnsafe(wanted.length * pageSize)
    for (const [index, at] of wanted.entries()) {
      const page = content.subarray(index * pageSize, (index + 1) * pageSize)
      const got = await readUpTo(file, page, pages.get(first + at)!)
      if (got.length < pageSize) break
    }
    // SQLite writes a new header before it overwrites a frame: as long as it is the old one, what was read before is whole.
    if (!sameLog(header, await headerOf(file))) {
      pages.clear()
      return NONE
    }
    for (const [index, at] of wanted.entries())
      content.copy(buffer, at * pageSize, index * pageSize, (index + 1) * pageSize)
    return new Set(wanted.map((at) => first + at))
  }
  return { pageCount, overlay }
}

async function headerOf(log: FileHandle): Promise<WalHeader | undefined> {
  return parseWalHeader(await readUpTo(log, Buffer.alloc(WAL_HEADER_BYTES), 0))
}

function reading(file: FileHandle) {
  let buffer = Buffer.alloc(0)
  return (position: number, length: number) => {
    if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length)
    return readUpTo(file, buffer.subarray(0, length), position)
  }
}

async function readUpTo(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** The copy has no log: so it opens on a read-only medium too, and leaves no files beside it. */
function asOneFile(head: Buffer): void {
  if (!head.subarray(0, MAGIC.length).equals(MAGIC) || head[READ_VERSION] !== IN_WAL_MODE) return
  head[WRITE_VERSION] = 1
  head[READ_VERSION] = 1
}

/** 4096 where there is no database. */
function pageSizeOf(head: Buffer): number {
  if (head.length < HEADER_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC)) return 4096
  const written = head.readUInt16BE(16)
  const pageSize = written === 1 ? 65_536 : written
  return pageSize >= 512 && (pageSize & (pageSize - 1)) === 0 ? pageSize : 4096
}
