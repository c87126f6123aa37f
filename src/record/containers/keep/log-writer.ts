/**
 * Writes one log: text to the tail at once, the tail to a segment when it is long enough, and the oldest file away when the room is used up.
 * Synchronous, for a thread of its own.
 *
 * At no moment is something in neither place, or in both: the tail that holds the place after segment n is made durable first, then segment n is
 * written. Which of the two tails counts is told by the number of segments.
 */
import { closeSync, existsSync, fdatasync, fdatasyncSync, ftruncateSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { FrameMemory } from '../frames/memory.ts'
import type { LogFacts } from '../container.ts'
import { makeFolder, openOwn, syncFolder, writeAll, writePieces } from './disk.ts'
import { listLogFiles, LogFileReader, logPath, scanLogFile, type LogFile } from './log-files.ts'
import { encodeSegment, SEGMENT_TEXT_BYTES } from './segment.ts'
import { encodeRecord, readTail, tailPath, type TailHead, type Totals } from './tail-file.ts'

export interface LogWriterOptions {
  /** Its folder is made where it is missing. */
  readonly folder: string
  /** Of this log, compressed. */
  readonly maxBytes: number
}

/** Masked, and so to be stored. */
export interface MaskedBatch {
  readonly text: Buffer
  readonly lines: number
  readonly first: string | undefined
  readonly last: string | undefined
  readonly frames: Uint32Array
  readonly highestSeconds: number
  readonly flood: number
  readonly withheld: number
  readonly ambiguous: number
  readonly rules: string
  readonly values: number
}

/** Deflate's own default; stored logs are spliced into bundles as they are. */
const LEVEL = 6
/** Files go whole when the room is used up: an eighth of it, at most so much. */
const MOST_FILE_BYTES = 1024 * 1024
const FILES = 8
/** A tail of many small records is sealed early: reading it takes a step for each. */
const MOST_RECORDS = 4096
const NO_TOTALS: Totals = { lines: 0, textBytes: 0, flood: 0, withheld: 0, ambiguous: 0 }
const NO_TEXT = Buffer.alloc(0)

const syncData = promisify(fdatasync)

interface WrittenFile extends LogFile {
  sizeBytes: number
  /** Lines of the log before it. */
  readonly linesBefore: number
}

/** The tail in force. */
interface OpenTail {
  readonly fd: number
  endBytes: number
  textBytes: number
  records: number
  /** Before its first line. */
  readonly before: Totals
}

export class LogWriter {
  /** What was seen of the log when it was last written, and since. */
  readonly memory = new FrameMemory()
  /** Bytes that were cut off when it was opened, for they were not whole. */
  readonly tornBytes: number
  /** There are segments, but where the log goes on is not known any more. */
  readonly lostItsPlace: boolean
  readonly #options: LogWriterOptions
  #files: WrittenFile[] = []
  #head: TailHead
  #tail: OpenTail
  #dirty = false
  #dropped = 0

  /** @throws ErrnoException */
  constructor(options: LogWriterOptions, mask: Pick<TailHead, 'rules' | 'values'>) {
    const { folder } = options
    this.#options = options
    makeFolder(folder)
    const { number, totals, tornBytes } = this.#findFiles()
    const found = readTail(folder, number)
    const [first] = found?.number === number ? found.records : []
    this.lostItsPlace = !first && number > 0
    this.tornBytes = tornBytes + (first ? found!.tornBytes : 0)
    if (!first) {
      this.#head = { number, totals, highestSeconds: 0, ...mask }
      this.#tail = this.#beginTail(this.#head)
      syncFolder(folder)
      return
    }
    for (const { frames } of found!.records) this.memory.load(frames)
    this.#head = found!.records.at(-1)!.head
    this.memory.highestSeconds = Math.max(this.memory.highestSeconds, this.#head.highestSeconds)
    this.#tail = {
      fd: openOwn(tailPath(folder, number)),
      endBytes: found!.endBytes,
      textBytes: found!.records.reduce((all, { text }) => all + text.length, 0),
      records: found!.records.length,
      before: first.head.totals,
    }
    if (found!.tornBytes > 0) ftruncateSync(this.#tail.fd, found!.endBytes)
  }

  /** Stores it; a `kill -9` leaves all of it or nothing. @throws ErrnoException: then it is not stored, and can be tried again. */
  append(batch: MaskedBatch): void {
    const { rules, values } = batch
    if (rules !== this.#head.rules) this.seal()
    const empty = this.#tail.textBytes === 0
    const head: TailHead = {
      number: this.#head.number,
      totals: sum(this.#head.totals, batch),
      ...edges(empty ? {} : this.#head, batch),
      highestSeconds: batch.highestSeconds,
      rules,
      values: empty ? values : Math.min(values, this.#head.values),
    }
    if (this.#tail.textBytes + batch.text.length >= SEGMENT_TEXT_BYTES) return this.#seal(head, batch.text)
    const { pieces, bytes } = encodeRecord({ head, frames: batch.frames, text: batch.text })
    writePieces(this.#tail.fd, pieces, this.#tail.endBytes)
    this.#head = head
    this.#tail.endBytes += bytes
    this.#tail.textBytes += batch.text.length
    this.#tail.records += 1
    this.#dirty = true
    if (this.#tail.records >= MOST_RECORDS) this.seal()
  }

  /** Makes a segment of what there is: nothing more is to be expected soon. @throws ErrnoException */
  seal(): void {
    if (this.#tail.textBytes > 0) this.#seal(this.#head, NO_TEXT)
  }

  get dirty(): boolean {
    return this.#dirty
  }

  /** Resolves when a power cut can take nothing of it any more. */
  async sync(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    const { fd } = this.#tail
    try {
      await syncData(fd)
    } catch (error) {
      // It was closed meanwhile: a segment was made of it, and made durable.
      if (fd === this.#tail.fd) throw error
    }
  }

  get diskBytes(): number {
    return this.#files.reduce((all, { sizeBytes }) => all + sizeBytes, this.#tail.endBytes)
  }

  facts(): Pick<LogFacts, 'lines' | 'dropped' | 'ambiguous'> {
    const { lines, flood, withheld, ambiguous } = this.#head.totals
    return { lines, ambiguous, dropped: { flood, withheld, cap: this.#files[0]?.linesBefore ?? 0 } }
  }

  /** Lets go of the oldest file, but not of the one that is written; false when there is none to spare. */
  dropOldest(): boolean {
    const [oldest, second] = this.#files
    if (!oldest || !second) return false
    rmSync(oldest.path, { force: true })
    this.#dropped += second.linesBefore - oldest.linesBefore
    this.#files.shift()
    return true
  }

  /** Lines that went with files that were dropped, since the last time. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  /** Others needed the room: some files may be gone. */
  lookAgain(): void {
    this.#files = this.#files.filter(({ path }) => existsSync(path))
  }

  close(): void {
    closeSync(this.#tail.fd)
  }

  #seal(head: TailHead, more: Buffer): void {
    const { number, totals, rules, values, highestSeconds, last = '', first = last } = head
    const { textBytes: _, ...before } = this.#tail.before
    const texts =
      this.#tail.textBytes > 0 ? (readTail(this.#options.folder, number)?.records ?? []).map(({ text }) => text) : []
    const input = { number, rules, values, first, last, lines: totals.lines - before.lines, before }
    const segment = encodeSegment(Buffer.concat([...texts, more]), input, LEVEL)
    const next: TailHead = { number: number + 1, totals, rules, values, highestSeconds }
    const tail = this.#beginTail(next)
    try {
      fdatasyncSync(tail.fd)
      this.#appendSegment(segment, number, before.lines)
    } catch (error) {
      closeSync(tail.fd)
      throw error
    }
    // It stands in the segment now.
    ftruncateSync(this.#tail.fd, 0)
    closeSync(this.#tail.fd)
    this.#tail = tail
    this.#head = next
    this.#dirty = false
    while (this.diskBytes > this.#options.maxBytes && this.dropOldest());
  }

  #beginTail(head: TailHead): OpenTail {
    const { folder } = this.#options
    // Somebody may have removed it.
    makeFolder(folder)
    const fd = openOwn(tailPath(folder, head.number))
    try {
      const { pieces, bytes } = encodeRecord({ head, frames: this.memory.all(), text: NO_TEXT })
      ftruncateSync(fd, 0)
      writePieces(fd, pieces, 0)
      return { fd, endBytes: bytes, textBytes: 0, records: 1, before: head.totals }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  #appendSegment(segment: Buffer, number: number, linesBefore: number): void {
    const { folder, maxBytes } = this.#options
    const current = this.#files.at(-1)
    const fits = current && current.sizeBytes + segment.length <= Math.min(MOST_FILE_BYTES, maxBytes / FILES)
    const file = fits ? current : { path: logPath(folder, number), number, sizeBytes: 0, linesBefore }
    const fd = openOwn(file.path)
    try {
      writeAll(fd, segment, file.sizeBytes)
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
    if (!fits) {
      syncFolder(folder)
      this.#files.push(file)
    }
    file.sizeBytes += segment.length
  }

  /** Finds what there is, and cuts off what is not whole: of the last file alone, for the others were durable before it was begun. */
  #findFiles(): { number: number; totals: Totals; tornBytes: number } {
    const listed = listLogFiles(this.#options.folder)
    const last = listed.at(-1)
    if (!last) return { number: 0, totals: NO_TOTALS, tornBytes: 0 }
    for (const one of listed) {
      const file = new LogFileReader(one.path)
      const [first] = file.segments()
      if (first) this.#files.push({ ...one, sizeBytes: file.sizeBytes, linesBefore: first.facts.before.lines })
      file.close()
    }
    const { segments, endBytes, tornBytes } = scanLogFile(last.path)
    const newest = segments.at(-1)
    if (!newest) {
      rmSync(last.path, { force: true })
      this.#files = []
      return { ...this.#findFiles(), tornBytes }
    }
    if (tornBytes > 0) truncate(last.path, endBytes)
    this.#files.at(-1)!.sizeBytes = endBytes
    const { facts } = newest
    const totals = sum({ ...facts.before, textBytes: 0 }, { ...NO_TOTALS, lines: facts.lines, text: NO_TEXT })
    return { number: facts.number + 1, totals, tornBytes }
  }
}

function truncate(path: string, bytes: number): void {
  const fd = openOwn(path)
  ftruncateSync(fd, bytes)
  closeSync(fd)
}

function sum(before: Totals, batch: Pick<MaskedBatch, 'lines' | 'text' | 'flood' | 'withheld' | 'ambiguous'>): Totals {
  return {
    lines: before.lines + batch.lines,
    textBytes: before.textBytes + batch.text.length,
    flood: before.flood + batch.flood,
    withheld: before.withheld + batch.withheld,
    ambiguous: before.ambiguous + batch.ambiguous,
  }
}

interface Edges {
  readonly first?: string
  readonly last?: string
}

function edges(
  before: Edges,
  { first = before.first, last = before.last }: Pick<MaskedBatch, 'first' | 'last'>,
): Edges {
  const earliest = before.first !== undefined && (first === undefined || before.first < first) ? before.first : first
  const latest = before.last !== undefined && (last === undefined || before.last > last) ? before.last : last
  return { ...(earliest === undefined ? {} : { first: earliest }), ...(latest === undefined ? {} : { last: latest }) }
}
