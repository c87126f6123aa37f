/**
 * The lines of a text that stands inside another: behind the head that a log gives each of them (a time, a unit), or in a
 * string, where line breaks are written out as `\n`.
 */
import type { View } from '../rule.ts'

export interface Frame {
  /** Backslashes of a written line break: 1 in a string of JSON, 2 in a string within a string; 0 where lines are lines. */
  readonly escaped: number
  /** What stands before each line, runs of digits as `0`. */
  readonly head: string
}

export const PLAIN: Frame = { escaped: 0, head: '' }

/** A line break, as it is or written out. */
export interface Break {
  readonly escaped: number
  /** Where the next line begins. */
  readonly next: number
}

export function breakAt({ text }: View, at: number): Break | undefined {
  BREAK.lastIndex = at
  const match = BREAK.exec(text)
  return match ? { escaped: match[1]?.length ?? 0, next: BREAK.lastIndex } : undefined
}

const BREAK = /\r?\n|(?:\\{1,8}r)?(\\{1,8})n/y

export interface Framed {
  readonly frame: Frame
  /** Of the place, counted from behind the head. */
  readonly column: number
  /** Between the head and the place. */
  readonly lead: string
}

/** Looked back for the begin of a line so far: no longer head is known. Within what a stretch has behind it. */
const BEHIND = 400

/** In what frame the line at `at` and the one behind the break stand: what they have in common before `at` is the head. */
export function frameAt({ text }: View, at: number, { escaped, next }: Break): Framed | undefined {
  const line = lineBegin(text, at, escaped)
  if (line === undefined) return undefined
  const border = headEnd(text, line, at, next)
  const head = text.slice(line, border).replaceAll(/\d+/g, '0')
  return { frame: { escaped, head }, column: at - border, lead: text.slice(border, at) }
}

/** At most `most` bytes before `at`, as lines: without their heads, their line breaks not written out. */
export function linesBefore({ text }: View, at: number, most: number): string {
  const before = text.slice(Math.max(0, at - most), at)
  const escaped = /(\\{1,8})n[^\n\\"]{0,200}$/.exec(before)?.[1]!.length ?? 0
  const lines = escaped > 0 ? readLines(before, escaped) : before
  const line = lines.lastIndexOf('\n') + 1
  if (line < 2) return lines
  const previous = lines.lastIndexOf('\n', line - 2) + 1
  const head = lines.slice(line, headEnd(lines, line, lines.length, previous)).replaceAll(/\d+/g, '0')
  return head === ''
    ? lines
    : lines
        .split('\n')
        .map((one) => withoutHead(one, head))
        .join('\n')
}

function withoutHead(line: string, head: string): string {
  const behind = behindHead({ text: line, end: line.length, final: true }, 0, head)
  return typeof behind === 'number' ? line.slice(behind).replace(/^ /, '') : line
}

/** Of the string that the end stands in. */
function readLines(text: string, escaped: number): string {
  let from = text.lastIndexOf('\n') + 1
  MARK.lastIndex = 0
  for (const { index, 0: mark } of text.matchAll(MARK)) {
    if (index >= from && mark.endsWith('"') && endsString(mark.length - 1, escaped)) from = index + mark.length
  }
  const backslashes = '\\'.repeat(escaped)
  return text.slice(from).replaceAll(`${backslashes}r`, '').replaceAll(`${backslashes}n`, '\n')
}

function lineBegin(text: string, at: number, escaped: number): number | undefined {
  const from = Math.max(0, at - BEHIND)
  const before = text.slice(from, at)
  const real = before.lastIndexOf('\n') + 1
  let begin = real > 0 ? from + real : at <= BEHIND ? 0 : undefined
  if (escaped === 0) return begin
  MARK.lastIndex = 0
  for (const { index, 0: mark } of before.slice(real).matchAll(MARK)) {
    const backslashes = mark.length - 1
    if (
      (mark.endsWith('"') && endsString(backslashes, escaped)) ||
      (mark.endsWith('n') && isBreak(backslashes, escaped))
    )
      begin = from + real + index + mark.length
  }
  return begin
}

/** Up to where two lines are alike, numbers aside; at most to the white space before `at`. */
function headEnd(text: string, line: number, at: number, next: number): number {
  let end = line
  for (let other = next; end < at;) {
    if (isDigit(text, end) && isDigit(text, other)) {
      while (end < at && isDigit(text, end)) end++
      while (isDigit(text, other) && other - next < BEHIND) other++
    } else if (text[end] === text[other]) {
      end++
      other++
    } else {
      // A word that only begins alike is none of it.
      if (!(isBlank(text[end]) && (isBlank(text[other]) || isEnd(text[other])))) {
        while (end > line && !isBlank(text[end - 1])) end--
      }
      break
    }
  }
  while (end > line && isBlank(text[end - 1])) end--
  return end
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function isBlank(letter: string | undefined): boolean {
  return letter === ' ' || letter === '\t'
}

function isEnd(letter: string | undefined): boolean {
  return letter === undefined || letter === '\n' || letter === '\r' || letter === '\\'
}

export interface Line {
  /** Behind the head; undefined when there is none, and the text is over. */
  readonly start: number | undefined
  /** Before the line break. */
  readonly end: number
  /** Where the next line begins; undefined behind the last one. */
  readonly next: number | undefined
  /** Its end is beyond what is known. */
  readonly open: boolean
}

/** The line that begins at `at`. */
export function lineAt(view: View, at: number, frame: Frame): Line {
  const behind = behindHead(view, at, frame.head)
  return { ...lineFrom(view, at, frame), start: behind === 'further' ? undefined : behind }
}

/** The rest of the line at `at`, wherever it began. */
export function lineFrom(view: View, at: number, { escaped }: Frame): Line {
  if (escaped > 0) return writtenLine(view, at, escaped)
  const newline = view.text.indexOf('\n', at)
  if (newline < 0) return { start: at, end: view.end, next: undefined, open: !view.final }
  return { start: at, end: newline, next: newline + 1, open: false }
}

function writtenLine({ text, end, final }: View, at: number, escaped: number): Line {
  MARK.lastIndex = at
  for (let match = MARK.exec(text); match && MARK.lastIndex <= end; match = MARK.exec(text)) {
    const backslashes = match[0].length - 1
    const over = match[0] === '\n' || (match[0].endsWith('"') && endsString(backslashes, escaped))
    if (over || (match[0].endsWith('n') && isBreak(backslashes, escaped))) {
      if (over) return { start: at, end: match.index, next: undefined, open: false }
      const broken = MARK.lastIndex - escaped - 1
      const carriage = `${'\\'.repeat(escaped)}r`
      const before = text.startsWith(carriage, broken - carriage.length) ? carriage.length : 0
      return { start: at, end: Math.max(at, broken - before), next: MARK.lastIndex, open: false }
    }
  }
  let known = end
  if (!final) while (known > at && end - known < 16 && text[known - 1] === '\\') known--
  return { start: at, end: known, next: undefined, open: !final }
}

/** Takes a run of backslashes at once: one without an end must not be gone through again from each of them. */
const MARK = /[\n"]|\\+["n]?/g

/** One more level of escaping doubles the backslashes: more of them in front are whole pairs of the text's own. */
function isBreak(backslashes: number, escaped: number): boolean {
  return backslashes % (2 * escaped) === escaped
}

/** A quotation mark of the text has one backslash more than twice its line break has less one; fewer end the string. */
function endsString(backslashes: number, escaped: number): boolean {
  return backslashes < escaped - 1 || backslashes % (2 * escaped) === escaped - 1
}

/** Behind the head that begins at `at`; 'further' when it reaches beyond what is known. */
export function behindHead({ text, end, final }: View, at: number, head: string): number | 'further' | undefined {
  let to = at
  for (const letter of head) {
    if (to >= end) return final ? undefined : 'further'
    if (letter === '0' && isDigit(text, to)) while (to < end && isDigit(text, to)) to++
    else if (letter !== '0' && text[to] === letter) to++
    else return undefined
  }
  return to === end && !final && head !== '' ? 'further' : to
}
