/** Lines of cloud-init.log and cloud-init-output.log, with the time that each has: its own, or that of the last line that told one. */
import { basename } from 'node:path'
import { levelInText, type Level } from '../levels.ts'
import type { RegularFile } from '../regular.ts'
import { messageOf, type RawLine } from './line.ts'

/** A stretch of whole lines, and what was known before its first one. */
export interface Part {
  readonly from: number
  readonly to: number
  readonly state: State
  readonly lastUs: number
}

interface State {
  readonly timeUs: number
  readonly level: Level
}

export interface FileLine {
  readonly offset: number
  readonly timeUs: number
  readonly raw: RawLine
}

const PART_BYTES = 64 * 1024

/** The file in parts, the oldest first: it is read once, and only where the parts begin is kept. */
export async function scan(file: RegularFile, mostBytes: number): Promise<Part[]> {
  const parts: Part[] = []
  let at = Math.max(0, file.sizeBytes - mostBytes)
  // Until a line tells one: nothing is older than the first time that is told, or than the file itself.
  let state: State = { timeUs: (await firstTime(file, at)) ?? file.mtimeMs * 1000, level: 'info' }
  let skipping = at > 0
  while (at < file.sizeBytes) {
    const block = await file.readAt(at, PART_BYTES)
    if (block.length === 0) break
    const newline = block.lastIndexOf(0x0a) + 1
    // A line that is not ended yet is left for later; one that fills a part is cut.
    const length = newline > 0 ? newline : block.length === PART_BYTES ? PART_BYTES : 0
    if (length === 0) break
    const start = skipping ? block.indexOf(0x0a) + 1 : 0
    skipping = false
    const before = state
    for (const line of textLines(block, start, length)) state = after(line.text, state)
    parts.push({ from: at + start, to: at + length, state: before, lastUs: state.timeUs })
    at += length
  }
  return parts
}

export async function linesIn(file: RegularFile, { from, to, state }: Part): Promise<FileLine[]> {
  const block = await file.readAt(from, to - from)
  const name = basename(file.path).replace(/[.-]\d+$/, '')
  let now = state
  return textLines(block, 0, block.length).map(({ bytes, text, start }) => {
    now = after(text, now)
    const offset = from + start
    const { timeUs } = now
    const place = [file.inode, offset, timeUs].map((number) => number.toString(36)).join('.')
    const level = name === OUTPUT && !TIMED.test(text) ? (levelInText(text) ?? 'info') : now.level
    // Its time is told apart from it.
    const message = messageOf(bytes.subarray(STAMP.exec(text)?.[0].length ?? 0))
    return { offset, timeUs, raw: { timeUs, level, ...message, place, file: name } }
  })
}

/** Whether the file has the line that was there: an inode may be that of a new file by now. */
export async function holdsLine(
  file: RegularFile,
  { inode, offset, timeUs }: { readonly inode: number; readonly offset: number; readonly timeUs: number },
): Promise<boolean> {
  if (file.inode !== inode || offset >= file.sizeBytes) return false
  const begin = Math.max(0, offset - 1)
  const block = await file.readAt(begin, HEAD_BYTES)
  if (offset > 0 && block[0] !== 0x0a) return false
  const [line] = textLines(block, offset - begin, block.length)
  const told = after(line?.text ?? '', { timeUs, level: 'info' })
  return told.timeUs === timeUs
}

const HEAD_BYTES = 512

/** What the programs say that cloud-init runs: no line of theirs has a level of cloud-init's. */
const OUTPUT = 'cloud-init-output.log'

interface TextLine {
  readonly start: number
  readonly bytes: Buffer
  /** Its begin. */
  readonly text: string
}

function textLines(block: Buffer, from: number, to: number): TextLine[] {
  const lines: TextLine[] = []
  for (let start = from; start < to;) {
    const newline = block.indexOf(0x0a, start)
    const end = newline === -1 || newline >= to ? to : newline
    lines.push({
      start,
      bytes: block.subarray(start, end),
      text: block.toString('utf8', start, Math.min(end, start + 256)),
    })
    start = end + 1
  }
  return lines
}

/** `2026-11-21 14:23:10,200 - util.py[DEBUG]: …`; in UTC, for cloud-init sets its log to that. */
const TIMED = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[,.](\d{3}) - [\w.-]+\[(\w+)\]: /
const STAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d{3} - (?=[\w.-]+\[\w+\]: )/
/** `Cloud-init v. 22.4.2 running 'init' at Sat, 21 Nov 2026 16:47:22 +0000. Up 26031.83 seconds.` */
const TOLD = /^Cloud-init v\. .{0,120}? at (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4})\./

const LEVEL_NAMES: Readonly<Record<string, Level>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
}

/** Lines without a time belong to the one before: stack traces, mostly. */
function after(text: string, state: State): State {
  const [, day, time, ms, level] = TIMED.exec(text) ?? []
  const timeMs = day === undefined ? Date.parse(TOLD.exec(text)?.[1] ?? '') : Date.parse(`${day}T${time}.${ms}Z`)
  if (Number.isNaN(timeMs)) return state
  return { timeUs: timeMs * 1000, level: LEVEL_NAMES[level ?? 'INFO'] ?? 'info' }
}

async function firstTime(file: RegularFile, from: number): Promise<number | undefined> {
  const block = await file.readAt(from, PART_BYTES)
  const nothing: State = { timeUs: Number.NaN, level: 'info' }
  const told = textLines(block, 0, block.length).map(({ text }) => after(text, nothing).timeUs)
  return told.find((timeUs) => !Number.isNaN(timeUs))
}
