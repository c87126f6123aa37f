/** Where in a log the wanted spans of time lie, found by searching, not by reading all of it. */
import type { Interval } from '../collector.ts'
import type { ReadAt } from './limit-log.ts'
import { stampBytes, type LineTime } from './log-times.ts'
import { note, type Piece, type Range } from './pieces.ts'

export interface Log {
  readonly readAt: ReadAt
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly lineTime: LineTime
}

interface Stamp {
  /** Of the first byte of a line that bears a time. */
  readonly offset: number
  readonly timeMs: number
}

const blockBytes = 64 * 1024
/** Places at which a log is looked at before the search: a clock set back between two of them is noticed. */
const samples = 32
/** A stack trace longer than this counts as a place without a time. */
const probeBytes = 1024 * 1024

/**
 * The parts of a log whose lines fall into an interval, in order; lines without a time belong to the one before.
 * undefined when the times in it tell nothing: none in the first 64 KiB, or none in the window although the file was written
 * in it. Where the times are out of order, too much is taken rather than too little.
 */
export async function windowSpans(log: Log, intervals: readonly Interval[]): Promise<Range[] | undefined> {
  const first = await firstStamp(log, 0, Math.min(blockBytes, log.sizeBytes))
  if (!first) return undefined
  const stamps = [first, ...(await sampled(log))]
  const spans: Range[] = []
  for (const { sinceMs, untilMs } of intervals.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const from = await firstAtOrAfter(log, stamps, Math.floor(sinceMs / 1000) * 1000)
    // What is written last may bear an odd time: it counts as written when the file says.
    const to = untilMs >= log.mtimeMs ? log.sizeBytes : await firstAfterLast(log, stamps, untilMs)
    if (from < to) spans.push({ from, to })
  }
  const writtenInside = intervals.some(({ sinceMs, untilMs }) => log.mtimeMs >= sinceMs && log.mtimeMs <= untilMs)
  return spans.length === 0 && writtenInside ? undefined : merged(spans)
}

/** The spans, and before, between and behind them lines that say how much is left out. */
export function spanPieces(spans: readonly Range[], sizeBytes: number): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const span of spans) {
    if (span.from > end) pieces.push(leftOut(span.from - end))
    pieces.push(span)
    end = span.to
  }
  if (sizeBytes > end) pieces.push(leftOut(sizeBytes - end))
  return pieces
}

/** Not before or after which time: what is left out at the end may lie between two spans of the window. */
function leftOut(count: number) {
  return note(`${count} bytes outside the window are left out here`)
}

/** The first line of a time at or after `timeMs`; the end when there is none. */
async function firstAtOrAfter(log: Log, stamps: readonly Stamp[], timeMs: number): Promise<number> {
  const reached = (time: number) => time >= timeMs
  const index = stamps.findIndex((stamp) => reached(stamp.timeMs))
  if (index === 0) return 0
  const before = stamps.at(index === -1 ? -1 : index - 1)?.offset ?? 0
  return firstThat(log, before, stamps[index]?.offset ?? log.sizeBytes, reached)
}

/** The first line of a time after `timeMs` behind the last sample that is not; the end when there is none. */
async function firstAfterLast(log: Log, stamps: readonly Stamp[], timeMs: number): Promise<number> {
  const passed = (time: number) => time > timeMs
  const index = stamps.findLastIndex((stamp) => !passed(stamp.timeMs))
  if (index === -1) return 0
  return firstThat(log, stamps[index]?.offset ?? 0, stamps[index + 1]?.offset ?? log.sizeBytes, passed)
}

/** Halves the space between `from` (known not to fit) and `to` (known to fit, or the end), then reads the last block. */
async function firstThat(log: Log, from: number, to: number, fits: Fits): Promise<number> {
  let [low, high, found] = [from, to, to]
  while (high - low > blockBytes) {
    const middle = low + Math.floor((high - low) / 2)
    const stamp = await firstStamp(log, middle, Math.min(high, middle + probeBytes))
    if (stamp && !fits(stamp.timeMs)) low = stamp.offset
    else high = middle
    if (stamp && fits(stamp.timeMs)) found = stamp.offset
  }
  const exact = await firstStamp(log, low, found, fits)
  return exact?.offset ?? found
}

async function sampled(log: Log): Promise<Stamp[]> {
  const step = Math.max(blockBytes, Math.ceil(log.sizeBytes / samples))
  const stamps: Stamp[] = []
  for (let at = step; at < log.sizeBytes; at += step) {
    const stamp = await firstStamp(log, at, Math.min(log.sizeBytes, at + Math.min(step, probeBytes)))
    if (stamp) stamps.push(stamp)
  }
  return stamps
}

/** The first line that begins in `[from, to)` and bears a time that fits. */
async function firstStamp(log: Log, from: number, to: number, fits: Fits = always): Promise<Stamp | undefined> {
  // One byte earlier: a line that begins exactly at `from` is known by the newline before it.
  let position = Math.max(0, from - 1)
  let inside = from > 0
  while (position < to) {
    const block = await log.readAt(position, blockBytes)
    if (block.length === 0) return undefined
    // A line that begins just before the end of the block is judged with the next one.
    const atEnd = position + block.length >= log.sizeBytes
    const judged = atEnd ? block.length : Math.max(1, block.length - stampBytes + 1)
    let line = inside ? block.indexOf(10) + 1 : 0
    if (inside && line === 0) {
      position += block.length
      continue
    }
    inside = false
    while (line < judged) {
      if (position + line >= to) return undefined
      const newline = block.indexOf(10, line)
      const end = newline === -1 ? block.length : newline
      const timeMs = log.lineTime(block.toString('latin1', line, Math.min(end, line + stampBytes)))
      if (timeMs !== undefined && fits(timeMs)) return { offset: position + line, timeMs }
      inside = newline === -1
      line = inside ? block.length : newline + 1
    }
    position += line
  }
  return undefined
}

type Fits = (timeMs: number) => boolean

function always(): boolean {
  return true
}

function merged(spans: readonly Range[]): Range[] {
  const all: Range[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && span.from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else all.push(span)
  }
  return all
}
