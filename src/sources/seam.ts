/** Where two stretches of one log meet, and what to say where they do not. Pure functions over whole lines. */
import type { SourceEnd } from './source.ts'

/** How many bytes at the start of `after` already stand at the end of `before`; undefined when they do not meet. */
export function overlap(before: Buffer, after: Buffer): number | undefined {
  const line = after.subarray(0, after.indexOf(NEWLINE) + 1)
  if (line.length === 0) return undefined
  for (let at = before.indexOf(line); at !== -1; at = before.indexOf(line, at + 1)) {
    const common = Math.min(before.length - at, after.length)
    const startsLine = at === 0 || before[at - 1] === NEWLINE
    if (startsLine && before.subarray(at, at + common).equals(after.subarray(0, common))) return common
  }
  return undefined
}

/** Whether `after` begins before `before` does, by their times. */
export function reachesBack(before: Buffer, after: Buffer): boolean {
  const [first, other] = [timesIn(before)[0], timesIn(after)[0]]
  return first !== undefined && other !== undefined && other < first
}

/** What follows the line that `before` ends with; undefined when `bytes` does not hold that line. */
export function afterLastLine(before: Buffer, bytes: Buffer): Buffer | undefined {
  const line = before.subarray(before.lastIndexOf(NEWLINE, -2) + 1)
  for (let at = bytes.indexOf(line); at !== -1; at = bytes.indexOf(line, at + 1)) {
    if (at === 0 || bytes[at - 1] === NEWLINE) return bytes.subarray(at + line.length)
  }
  return undefined
}

export function wholeLines(bytes: Buffer): Buffer {
  const lineEnd = bytes.lastIndexOf(NEWLINE)
  return lineEnd === -1 ? bytes : bytes.subarray(0, lineEnd + 1)
}

export function endsLine(bytes: Buffer): boolean {
  return bytes.at(-1) === NEWLINE
}

/** At most `maxBytes`: as many whole lines as fit, part of the first when it alone is longer than 64 KiB, else nothing. */
export function cutAtLine(bytes: Buffer, maxBytes: number): Buffer {
  const kept = wholeLines(bytes.subarray(0, maxBytes))
  return endsLine(kept) || kept.length > LONG_LINE_BYTES ? kept : kept.subarray(0, 0)
}

/** Lines but the indented ones, which go on with the journal entry before. */
export function recordsIn(bytes: Buffer): number {
  let records = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] !== SPACE) records++
  }
  return records
}

/** The line that stands in the hole between two stretches. */
export function marker(before: Buffer, after: Buffer, entryBytes: number): Buffer {
  const lineBreak = before.length > 0 && !endsLine(before) ? '\n' : ''
  return Buffer.from(`${lineBreak}… diagd: ${hole(before, after)} left out here (${limit(entryBytes)}) …\n`)
}

export function leftOut(before: Buffer, after: Buffer, entryBytes: number): SourceEnd {
  return { outcome: 'partial', detail: `${hole(before, after)} left out (${limit(entryBytes)})` }
}

const NEWLINE = 0x0a
const SPACE = 0x20
/** A line longer than this may be cut. */
export const LONG_LINE_BYTES = 64 * 1024

function hole(before: Buffer, after: Buffer): string {
  return `entries between ${timesIn(before).at(-1) ?? 'the start'} and ${timesIn(after)[0] ?? 'the newest'}`
}

function limit(entryBytes: number): string {
  return `over the limit of ${entryBytes} bytes per entry`
}

/** ISO times at the start of lines: what journalctl and the engine's logs begin each record with. */
function timesIn(bytes: Buffer): string[] {
  return bytes.toString('latin1').match(/^\d{4}-\d\d-\d\dT\S{1,40}/gm) ?? []
}
