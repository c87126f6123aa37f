/** Reads a log while it is written: as it was at the moment when reading began. */
import { setTimeout as delay } from 'node:timers/promises'
import type { LogFacts, LogPiece, SegmentFacts } from '../container.ts'
import type { LogFile } from './log-files.ts'
import { logFilesIn, OpenLogFile, tailIn } from './open-log-file.ts'
import { tailPath, type Tail, type TailHead } from './tail-file.ts'

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
  for (const { path } of await logFilesIn(folder)) {
    await using file = await OpenLogFile.open(path)
    if (!file) {
      gone = true
      continue
    }
    for await (const found of file.segments()) {
      const { facts } = found
      if (facts.number >= end) break
      if (facts.number !== (next ?? 0)) yield missing(facts.before.lines - lines, gone, facts.first)
      gone = false
      next = facts.number + 1
      lines = facts.before.lines + facts.lines
      if ((since !== undefined && facts.last < since) || (until !== undefined && facts.first > until)) continue
      yield { segment: { ...facts, bytes: await file.deflated(found) } }
    }
  }
  if (!tail) return
  const [base] = tail.records
  // Of a log whose only files are gone already, the tail tells how much that was.
  if (tail.number !== (next ?? 0)) yield missing(base!.head.totals.lines - lines, gone)
  const text = Buffer.concat(tail.records.map((record) => record.text))
  const { totals, first = '', last = '', highestSeconds } = tail.records.at(-1)!.head
  const place = { frames: Uint32Array.from(tail.records.flatMap(({ frames }) => Array.from(frames))), highestSeconds }
  const isOutside = (since !== undefined && last < since) || (until !== undefined && first > until)
  if (text.length === 0 || isOutside) yield { text: NO_TEXT, lines: 0, place }
  else yield { text, lines: totals.lines - base!.head.totals.lines, place }
}

type Known = Pick<LogFacts, 'lines' | 'first' | 'last' | 'dropped' | 'ambiguous'>

/** Without reading it: a few hundred bytes of two files. undefined when there is no log. Rejects with an ErrnoException. */
export async function readLogFacts(folder: string): Promise<Known | undefined> {
  for (let tries = 0; ; tries++) {
    const heads = [await tailHead(folder, 0), await tailHead(folder, 1)].filter((head) => head !== undefined)
    // The one in force is the newer, unless its segment is just being written: then both tell the same.
    const newest = heads.toSorted((a, b) => b.number - a.number)[0]
    if (!newest) return undefined
    const files = await logFilesIn(folder)
    const [first] = await headersIn(files[0], 1)
    const isSegmentDue = !first && newest.number > 0 && Date.now() - newest.writtenMs < TRIES * TRY_MS
    if (!isSegmentDue || tries === TRIES) return knownOf(folder, { newest, files, first })
    await delay(TRY_MS)
  }
}

interface Found {
  readonly newest: TailHead
  readonly files: readonly LogFile[]
  readonly first: SegmentFacts | undefined
}

async function knownOf(folder: string, { newest, files, first }: Found): Promise<Known> {
  const { lines, flood, withheld, ambiguous } = newest.totals
  const earliest = first?.first ?? newest.first
  const latest = newest.last ?? (await headersIn(files.at(-1))).at(-1)?.last
  // Without any file, all that was in segments is gone.
  const cap = first ? first.before.lines : ((await tailIn(folder, newest.number))?.records[0]?.head.totals.lines ?? 0)
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
    const number = await nextNumber(folder)
    const tail = await tailIn(folder, number)
    if (tail?.number === number) return tail
    if (!tail && number === 0) return undefined
    await delay(TRY_MS)
  }
  // The last segments are damaged, or what wrote them is gone: the newest there is.
  const tails = [await tailIn(folder, 0), await tailIn(folder, 1)].filter((tail) => tail !== undefined)
  return tails.toSorted((a, b) => b.number - a.number)[0]
}

/** Of the segment that is not there yet. */
async function nextNumber(folder: string): Promise<number> {
  const last = (await logFilesIn(folder)).at(-1)
  const number = (await headersIn(last)).at(-1)?.number
  return number === undefined ? (last?.number ?? 0) : number + 1
}

/** None when there is no such file, or the room was needed meanwhile. */
async function headersIn(log: LogFile | undefined, most = Infinity): Promise<SegmentFacts[]> {
  await using file = log && (await OpenLogFile.open(log.path))
  const headers: SegmentFacts[] = []
  if (!file) return headers
  for await (const { facts } of file.segments()) {
    headers.push(facts)
    if (headers.length >= most) break
  }
  return headers
}

function missing(lines: number, gone: boolean, until?: string): LogPiece {
  const before = until === undefined ? '' : ` before ${until}`
  const what = gone ? 'dropped (cap)' : 'cannot be read (the file is damaged)'
  return { text: Buffer.from(`… ${lines} lines ${what}${before} …\n`), lines: 0 }
}

/** From the end of the file; from its beginning when a write was cut off there. */
async function tailHead(folder: string, turn: number) {
  await using file = await OpenLogFile.open(tailPath(folder, turn))
  if (!file) return undefined
  const head = (await file.lastHead()) ?? (await tailIn(folder, turn))?.records.at(-1)?.head
  return head && { ...head, writtenMs: file.writtenMs }
}
