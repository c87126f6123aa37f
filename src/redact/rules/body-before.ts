/** Finds the base64 body of a key from its end backwards: where its first line is missing, the last one alone tells what it is. */
import type { Span, View } from '../rule.ts'
import { AHEAD_BYTES } from '../stream.ts'
import { AROUND, FAR, RUN, shapeOf } from './body.ts'
import { unitsBefore, WORD, type Part } from './units-before.ts'

/** Before the last line of a key so much is looked at: who masks what stands at its beginning has to see its end. */
export const REST_BYTES = AHEAD_BYTES - 256

/** A line of a body with all that a log puts around it. */
export const LINE_BYTES = 1024

/** Lines of fewer letters nobody writes, but for the last one. */
const LONG = 40
/** Nor ones of more, of what nothing else tells the width. */
const LONGEST = 76

/** What stands before the marker of an end, or in lines above it: the newest last. */
export function bodyBefore(view: View, marker: number): Span[] {
  const lines = bodyOf(view, linesBefore(view.text, marker))
  if (lines.length > 0) return lines.toReversed()
  const { parts, least } = unitsBefore(view.text, marker, Math.max(0, marker - REST_BYTES))
  const first = bodyOf(view, parts, least).at(-1)
  return first ? [{ ...first, end: marker }] : []
}

/** From the last one up; none where it is no body. */
function bodyOf({ text }: View, parts: Iterable<Part>, least = 8): Span[] {
  const spans: Span[] = []
  /** Letters of the last line, and of those above it. */
  let [last, width] = [0, 0]
  for (const { start, end, isWhole, isFirst } of parts) {
    const length = end - start
    const above = last > 0
    const isChecksum = spans.length === 0 && length === CHECKSUM && text[start] === '='
    const isFull = isWhole && length >= Math.max(LONG, last) && length === (width || length) && text[end - 1] !== '='
    if (above && !isFull && !(isFirst && length <= (width || Math.max(LONGEST, last)))) break
    spans.push({ start, end, kind: 'private-key' })
    if (isChecksum) continue
    if (above && !isFull) break
    if (above) width = length
    else last = length
    if (!isWhole) break
  }
  return width > 0 || isTelling(text, spans, least) ? spans : []
}

/** Of PGP: `=` and 24 bits. */
const CHECKSUM = 5

/** Of a body that is a single line nothing but its letters tells that it is one. */
function isTelling(text: string, spans: readonly Span[], least: number): boolean {
  const letters = spans.map(({ start, end }) => text.slice(start, end)).find((one) => !one.startsWith('='))
  if (letters === undefined) return false
  return letters.endsWith('=') || (letters.length >= least && !WORD.test(letters))
}

/** Upwards, as long as they stand behind what the marker stands behind. */
function* linesBefore(text: string, marker: number): Generator<Part> {
  const own = lineBegin(text, marker, AROUND + 1)
  const head = own === undefined ? FAR : shapeOf(text.slice(own, marker), '')
  if (own === undefined || head === FAR) return
  const least = marker - REST_BYTES
  let tail: string | undefined
  for (let end = own - 1; end > 0;) {
    const start = lineBegin(text, end, LINE_BYTES)
    if (start === undefined || start < least) return
    const isFirst = start === 0 || text.endsWith(NOTE_END, start)
    const part = partOf(text, [start, end], { head, tail, isFirst })
    if (!part) return
    tail ??= shapeOf('', text.slice(part.end, end))
    yield part
    end = start - 1
  }
}

/** Of the lines of ours that stand where something is left out, in the bytes of UTF-8. */
const NOTE_END = ` ${Buffer.from('…').toString('latin1')}\n`

/** The same of bytes. */
export function isBehindNote(bytes: Buffer, start: number): boolean {
  return start >= NOTE_END.length && bytes.toString('latin1', start - NOTE_END.length, start) === NOTE_END
}

interface Around {
  readonly head: string
  /** undefined: not known yet. */
  readonly tail: string | undefined
  readonly isFirst: boolean
}

function partOf(text: string, [start, end]: readonly [number, number], { head, tail, isFirst }: Around) {
  const line = text.slice(start, end)
  let cut: Part | undefined
  for (const { index, 0: letters } of line.matchAll(RUN)) {
    if (tail !== undefined && shapeOf('', line.slice(index + letters.length)) !== tail) continue
    const before = shapeOf(line.slice(0, index), '')
    const span = { start: start + index, end: start + index + letters.length, isFirst }
    // With all of its head it was not cut, and a word is none that was.
    if (before === head) return { ...span, isWhole: true, isFirst: isFirst && index === 0 && !WORD.test(letters) }
    if (isFirst && before !== FAR && head.endsWith(before)) cut ??= { ...span, isWhole: false }
  }
  return cut
}

/** Of the line that ends at `end`, where it is no longer than `most`. */
function lineBegin(text: string, end: number, most: number): number | undefined {
  const from = Math.max(0, end - most)
  const newline = text.slice(from, end).lastIndexOf('\n')
  return newline >= 0 ? from + newline + 1 : from === 0 ? 0 : undefined
}
