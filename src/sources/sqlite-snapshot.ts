/**
 * The bytes of a SQLite database as one moment left it, while others go on writing: each page from the newest committed frame
 * of its log, else from the database. Why that is right: docs/decisions/0010-events-db.md.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { patiently, type Patience } from './patience.ts'
import { errorCode } from './refusal.ts'
import { isAtRest } from './sqlite-at-rest.ts'
import { holdFile, type HeldFile } from './sqlite-files.ts'
import { openPages, type Pages } from './sqlite-pages.ts'
import { NoReader, openReader, type Reader } from './sqlite-reader.ts'

export interface Snapshot {
  /** Exactly so many bytes come, unless it ends before its time. */
  readonly sizeBytes: number
  readonly mtimeMs: number
  /** A chunk is valid until the next pull. `return()` ends the transaction. */
  readonly chunks: AsyncGenerator<Buffer, SnapshotEnd, void>
}

export interface SnapshotEnd {
  /** All bytes were delivered, and are of one moment. */
  readonly whole: boolean
  /** What is wrong, or was done without. */
  readonly detail?: string
}

export interface SnapshotOptions {
  /** For every single read. */
  readonly patience: Patience
  /** Milliseconds after which the transaction ends, whoever still reads. */
  readonly mostMs?: number
  /** So far the log may grow while SQLite cannot begin it anew. */
  readonly mostLogBytes?: number
}

const MOST_MS = 120_000
const MOST_LOG_BYTES = 256 * 1024 * 1024
/** How often the length of the log is looked at, whether or not anybody pulls. */
const LOOK_MS = 1000
const CHUNK_BYTES = 1024 * 1024

/**
 * Opens the database read-only, from any process. Where SQLite cannot (no right to its lock file, a read-only disk, no database
 * at all) the files are read as they stand, and the end tells whether they changed meanwhile. So is one that nobody has open.
 *
 * @throws errors of the file system; SourceError `timeout`; the reason of the signal.
 */
export async function openSnapshot(path: string, options: SnapshotOptions): Promise<Snapshot> {
  const { patience } = options
  const main = await patiently(holdFile(path), path, patience, (late) => late.release())
  const opened: Opened = { main, log: undefined, reader: undefined }
  try {
    if (!(await patiently(isAtRest(main.handle, path), path, patience)))
      opened.reader = await openReader(path, patience).catch(orNoReader)
    opened.log = await patiently(openLog(`${path}-wal`), path, patience, (late) => late?.close())
    const held = opened.reader instanceof NoReader ? undefined : opened.reader
    const pages = await patiently(openPages({ main: main.handle, log: opened.log }, held), path, patience)
    const { mtimeMs } = await main.handle.stat()
    return { sizeBytes: pages.sizeBytes, mtimeMs, chunks: await started(delivered(opened, pages, options)) }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

interface Opened {
  readonly main: HeldFile
  log: FileHandle | undefined
  /** undefined for a database at rest. */
  reader: Reader | NoReader | undefined
}

function orNoReader(error: unknown): NoReader {
  if (error instanceof NoReader) return error
  throw error
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function closeAll({ main, log, reader }: Opened): Promise<void> {
  const closed = !reader || reader instanceof NoReader || (await reader.close())
  await log?.close()
  if (closed) await main.release()
}

/** A generator that has not begun ends without its `finally`: it begins with an empty chunk. */
async function started(chunks: Snapshot['chunks']): Promise<Snapshot['chunks']> {
  await chunks.next()
  return chunks
}

async function* delivered(opened: Opened, pages: Pages, options: SnapshotOptions): Snapshot['chunks'] {
  const bounds = bounded(opened, options)
  const before = await look(opened)
  try {
    yield Buffer.alloc(0)
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, pages.sizeBytes))
    for (let at = 0; at < pages.sizeBytes; at += buffer.length) {
      const chunk = buffer.subarray(0, pages.sizeBytes - at)
      const fault = bounds.ended() ?? (await faultOf(pages.read(at, chunk), options.patience))
      // What was read after the transaction had ended may be of another moment.
      const why = bounds.ended() ?? fault
      if (why !== undefined) return { whole: false, detail: `${why}: ${pages.sizeBytes - at} bytes are missing` }
      yield chunk
    }
    return await ending(opened, before)
  } finally {
    await bounds.end()
  }
}

/** What the file system or the file has to say against a read. Patience that ends is thrown. */
async function faultOf(reading: Promise<void>, patience: Patience): Promise<string | undefined> {
  const said = reading.then(
    () => undefined,
    (error: Error) => error.message,
  )
  return patiently(said, 'the database', patience)
}

interface Bounds {
  /** Why it ended before its time. */
  ended(): string | undefined
  end(): Promise<void>
}

/** Ends the transaction when it has lasted too long, also while nobody pulls: SQLite cannot clear its log as long as it is there. */
function bounded(opened: Opened, { mostMs = MOST_MS, mostLogBytes = MOST_LOG_BYTES }: SnapshotOptions): Bounds {
  let why: string | undefined
  let closing: Promise<void> | undefined
  const end = (reason?: string) => {
    clearTimeout(timer)
    clearInterval(interval)
    why ??= reason
    return (closing ??= closeAll(opened))
  }
  const tooLate = () => void end(`the copy took longer than ${mostMs / 1000} s`)
  const timer = setTimeout(tooLate, mostMs).unref()
  const measure = async () => {
    const { size } = (await opened.log?.stat().catch(() => undefined)) ?? { size: 0 }
    if (size > mostLogBytes) void end(`the log grew to ${size} bytes while it was copied`)
  }
  const interval = setInterval(() => void measure(), LOOK_MS).unref()
  return { ended: () => why, end }
}

interface Look {
  readonly main: string
  readonly log: string | undefined
}

async function look({ main, log }: Opened): Promise<Look> {
  const of = async (handle: FileHandle) => {
    const { size, mtimeNs } = await handle.stat({ bigint: true })
    return `${size} ${mtimeNs}`
  }
  return { main: await of(main.handle), log: log && (await of(log)) }
}

async function ending(opened: Opened, before: Look): Promise<SnapshotEnd> {
  const { reader } = opened
  if (reader && !(reader instanceof NoReader)) return { whole: true }
  const without = reader
    ? `copied without a lock, as SQLite says ${reader.code} (${reader.message})`
    : 'copied without a lock, as nobody had it open'
  const after = await look(opened)
  if (after.main !== before.main || after.log !== before.log)
    return { whole: false, detail: `${without}, and it changed meanwhile: it may be of several moments` }
  return reader ? { whole: true, detail: `${without}; it did not change meanwhile` } : { whole: true }
}
