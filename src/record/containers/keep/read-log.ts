/** Reads a log while it is written: as it was at the moment when reading began. */
import type { LogFacts, LogPiece } from '../container.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { listLogFiles, LogFileReader, type LogFile } from './log-files.ts'
import { lastHead, readTail, tailPath, type Tail } from './tail-file.ts'

/** `since` and `until` as the lines have them. */
export interface Span {
  readonly since?: string
  readonly until?: string
}

const NO_TEXT = Buffer.alloc(0)

/** Between a segment and the tail that follows it lie some milliseconds of an fsync. */
const TRIES = 50
const TRY_MS = 20

/** The oldest first, a segment at a time; segments that lie outside of the span are left out. Nothing when there is no log. */
export async function* readLog(folder: string, { since, until }: Span = {}): AsyncGenerator<LogPiece, void, void> {
  const tail = await settledTail(folder)
  const end = tail?.number ?? Infinity
  let next: number | undefined
  let lines = 0
  /** Nothing was read yet, or the room was needed meanwhile: else what is missing is damaged. */
  let gone = true
  for (const file of filesOf(folder)) {
    const reader = open(file)
    if (!reader) {
      gone = true
      continue
    }
    try {
      for (const found of reader.segments()) {
        const { facts } = found
        if (facts.number >= end) break
        if (facts.number !== (next ?? 0)) yield missing(facts.before.lines - lines, gone, facts.first)
        gone = false
        next = facts.number + 1
        lines = facts.before.lines + facts.lines
        if ((since !== undefined && facts.last < since) || (until !== undefined && facts.first > until)) continue
        yield { segment: { ...facts, bytes: reader.deflated(found) } }
      }
    } finally {
      reader.close()
    }
  }
  if (!tail) return
  const [base] = tail.records
  // Of a log whose only files are gone already, the tail tells how much that was.
  if (tail.number !== (next ?? 0)) yield missing(base!.head.totals.lines - lines, gone)
  const text = Buffer.concat(tail.records.map((record) => record.text))
  const { totals, first = '', last = '', highestSeconds } = tail.records.at(-1)!.head
  const place = { frames: Uint32Array.from(tail.records.flatMap(({ frames }) => [...frames])), highestSeconds }
  const isOutside = (since !== undefined && last < since) || (until !== undefined && first > until)
  if (text.length === 0 || isOutside) yield { text: NO_TEXT, lines: 0, place }
  else yield { text, lines: totals.lines - base!.head.totals.lines, place }
}

type Known = Pick<LogFacts, 'lines' | 'first' | 'last' | 'dropped' | 'ambiguous'>

/** Without reading it: a few hundred bytes of two files. undefined when there is no log. @throws ErrnoException */
export function readLogFacts(folder: string): Known | undefined {
  const files = listLogFiles(folder)
  const first = firstHeader(files[0])
  const heads = [0, 1].map((turn) => tailHead(folder, turn)).filter((head) => head !== undefined)
  // The one in force is the newer, unless its segment is just being written: then both tell the same.
  const newest = heads.toSorted((a, b) => b.number - a.number)[0]
  if (!newest) return undefined
  const { lines, flood, withheld, ambiguous } = newest.totals
  const earliest = first?.first ?? newest.first
  const latest = newest.last ?? (files.length > 0 ? lastOf(files.at(-1)!) : undefined)
  // Without any file, all that was in segments is gone.
  const cap = first ? first.before.lines : (readTail(folder, newest.number)?.records[0]?.head.totals.lines ?? 0)
  return {
    lines,
    ambiguous,
    dropped: { flood, withheld, cap },
    ...(earliest === undefined ? {} : { first: earliest }),
    ...(latest === undefined ? {} : { last: latest }),
  }
}

/** The tail that goes on where the segments end. */
async function settledTail(folder: string): Promise<Tail | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const number = nextNumber(folder)
    const tail = readTail(folder, number)
    if (tail?.number === number) return tail
    if (!tail && number === 0) return undefined
    await delay(TRY_MS)
  }
  // The last segments are damaged, or what wrote them is gone: the newest there is.
  const tails = [0, 1].map((turn) => readTail(folder, turn)).filter((tail) => tail !== undefined)
  return tails.toSorted((a, b) => b.number - a.number)[0]
}

/** Of the segment that is not there yet. */
function nextNumber(folder: string): number {
  const last = filesOf(folder).at(-1)
  const reader = last && open(last)
  if (!reader) return 0
  try {
    let number = -1
    for (const { facts } of reader.segments()) number = facts.number
    return number < 0 ? last.number : number + 1
  } finally {
    reader.close()
  }
}

function filesOf(folder: string): LogFile[] {
  try {
    return listLogFiles(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** undefined when the room was needed meanwhile. */
function open({ path }: LogFile): LogFileReader | undefined {
  try {
    return new LogFileReader(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function missing(lines: number, gone: boolean, until?: string): LogPiece {
  const before = until === undefined ? '' : ` before ${until}`
  const what = gone ? 'dropped (cap)' : 'cannot be read (the file is damaged)'
  return { text: Buffer.from(`… ${lines} lines ${what}${before} …\n`), lines: 0 }
}

function firstHeader(file: LogFile | undefined) {
  const reader = file && open(file)
  if (!reader) return undefined
  try {
    const [first] = reader.segments()
    return first?.facts
  } finally {
    reader.close()
  }
}

function lastOf(file: LogFile): string | undefined {
  const reader = open(file)
  if (!reader) return undefined
  try {
    let last: string | undefined
    for (const { facts } of reader.segments()) last = facts.last
    return last
  } finally {
    reader.close()
  }
}

/** From the end of the file; from its beginning when a write was cut off there. */
function tailHead(folder: string, turn: number) {
  const reader = open({ path: tailPath(folder, turn), number: turn })
  if (!reader) return undefined
  try {
    const size = reader.sizeBytes
    const head = lastHead(reader.read(Math.max(0, size - 8), 8), (at, bytes) => reader.read(at, bytes), size)
    return head ?? readTail(folder, turn)?.records.at(-1)?.head
  } finally {
    reader.close()
  }
}
