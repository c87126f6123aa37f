/** Whether a stretch may end in the midst of a key: only then its end is looked for in the bytes that follow. */
import { isBehindNote, LINE_BYTES, REST_BYTES } from './body-before.ts'
import { RUN, shapeOf } from './body.ts'

const PEM = Buffer.from('-----END')
const PUTTY = Buffer.from('Private-MAC:')
const MARKER_BYTES = 64
/** The last line of a body, a checksum and the marker. */
const NEAR_BYTES = 2 * LINE_BYTES
/** Letters that stand together in nearly every line of a body. */
const LONG = 40

/** Where there are ends of keys, of what kind whatsoever, that may have begun before `to`. */
export function endsBehind(bytes: Buffer, to: number): number[] {
  const from = Math.max(0, to - MARKER_BYTES)
  if (!hasDashes(bytes, from, Math.min(bytes.length, to + NEAR_BYTES)) && !goesOn(bytes, to)) return []
  const ahead = bytes.subarray(from, to + REST_BYTES + MARKER_BYTES)
  return [PEM, PUTTY].flatMap((marker) => placesOf(ahead, marker)).map((place) => from + place)
}

/** Steps over less than the dashes of a marker; a search of the engine's costs more than all that is done here. */
function hasDashes(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from + DASHES - 1; at < to; at += DASHES) {
    if (bytes[at] !== DASH) continue
    let end = at + 1
    while (bytes[end] === DASH) end++
    if (bytes[end] === PEM[DASHES] && bytes[end + 1] === PEM[DASHES + 1]) return true
  }
  return false
}

const DASH = 0x2d
const DASHES = 5

function placesOf(bytes: Buffer, marker: Buffer): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + marker.length)) places.push(at)
  return places
}

/** Whether lines, or what stands between written line breaks, are alike on both sides of a place. */
function goesOn(bytes: Buffer, to: number): boolean {
  const around = [Math.max(0, to - ONE_LINE_BYTES), Math.min(bytes.length, to + ONE_LINE_BYTES)] as const
  if (longRun(bytes, ...around) > 0 && ON_ONE_LINE.test(bytes.toString('latin1', ...around))) return true
  const begin = lineBegin(bytes, to)
  if (begin === undefined) return false
  const line = lineFrom(bytes, begin)
  if (longRun(bytes, ...line) === 0 && begin > 0 && !isBehindNote(bytes, begin)) return isLastOfPutty(bytes, begin)
  const second = lineFrom(bytes, line[1] + 1)
  return (
    areAlike(bytes, line, second) ||
    areAlike(bytes, second, lineFrom(bytes, second[1] + 1)) ||
    isLastOfPutty(bytes, begin)
  )
}

/** Whether the last line may be one of a body that goes on behind it. */
export function mayGoOn(lines: Buffer): boolean {
  const begin = lineBegin(lines, lines.length)
  return begin !== undefined && longRun(lines, begin, lines.length) > 0
}

/** More than two parts of a body on one line. */
const ONE_LINE_BYTES = 200
const ON_ONE_LINE =
  /[A-Za-z0-9+/]{40}(?:\\{1,8}[rn]|%0[AaDd])|[A-Za-z0-9+/%=]{120}|[A-Za-z0-9+/]{40}[ \t][A-Za-z0-9+/]{40}/

/** Of the line that holds the byte before `to`. */
function lineBegin(bytes: Buffer, to: number): number | undefined {
  let begin = to - 1
  for (const least = Math.max(0, to - LINE_BYTES); begin > least && bytes[begin - 1] !== NEWLINE;) begin--
  return begin === 0 || bytes[begin - 1] === NEWLINE ? begin : undefined
}

type Line = readonly [start: number, end: number]

/** Empty where it is too long to be one of a key. */
function lineFrom(bytes: Buffer, start: number): Line {
  let end = start
  for (const most = Math.min(bytes.length, start + LINE_BYTES); end < most && bytes[end] !== NEWLINE;) end++
  return bytes[end] === NEWLINE ? [start, end] : [bytes.length, bytes.length]
}

const NEWLINE = 0x0a

/** The length of the first run of letters that is long and has a capital, so that it is no hexadecimal number; 0 for none. Steps that none fits between. */
function longRun(bytes: Buffer, from: number, to: number): number {
  for (let at = from + LONG - 1; at < to; at += LONG) {
    let start = at
    while (start >= from && KINDS[bytes[start]!]! > 0) start--
    if (start === at) continue
    let end = at + 1
    while (end < to && KINDS[bytes[end]!]! > 0) end++
    if (end - start > LONG && hasCapital(bytes, start + 1, end)) return end - start - 1
  }
  return 0
}

/** Letters of base64, percent-encoded or not; capitals are 2. */
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  const letter = String.fromCharCode(code)
  return /[A-Z]/.test(letter) ? 2 : /[a-z0-9+/%]/.test(letter) ? 1 : 0
})

function hasCapital(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (KINDS[bytes[at]!] === 2) return true
  return false
}

function areAlike(bytes: Buffer, one: Line, other: Line): boolean {
  const run = longRun(bytes, ...one)
  if (run === 0 || run !== longRun(bytes, ...other)) return false
  const runs = runsOf(bytes.toString('latin1', ...one))
  return runsOf(bytes.toString('latin1', ...other)).some((two) => runs.includes(two))
}

/** Its marker has no dashes, and is looked for behind what looks like a part of a key. */
function isLastOfPutty(bytes: Buffer, begin: number): boolean {
  if (longRun(bytes, Math.max(0, begin - LINE_BYTES / 2), begin) === 0) return false
  return bytes.subarray(begin, begin + LINE_BYTES).includes(PUTTY)
}

/** How many letters, behind what. */
function runsOf(line: string): string[] {
  return [...line.matchAll(RUN)]
    .filter(({ 0: letters }) => letters.length >= LONG)
    .map(({ index, 0: letters }) => `${letters.length} ${shapeOf(line.slice(0, index), '')}`)
}
