/** The letters of a key that stands on one line, from its end backwards: line breaks are written out, are spaces, or are none. */
import type { Span } from '../rule.ts'

/** Letters of a body: those of one line, or between two written line breaks. */
export interface Part extends Span {
  /** It stands where those below it stand; else it may be what is left of a line that was cut. */
  readonly isWhole: boolean
  /** Nothing stands before it that belongs to the same text. */
  readonly isFirst: boolean
}

export interface Units {
  readonly parts: Iterable<Part>
  /** Letters that a body of a single part has at least. */
  readonly least: number
}

const WRITTEN = /(?:(?<!\\)\\{1,8}r)?(?<!\\)\\{1,8}n$/
const SPACE = /[ \t]$/
const PERCENT = /(?:%0[Dd])?%0[Aa]$/

/** A separator is no longer. */
const SEPARATOR = 24
/** Words and identifiers are shorter. */
const LEAST = 16

/** Nothing before `from` is looked at. */
export function unitsBefore(text: string, marker: number, from: number): Units {
  const before = text.slice(Math.max(from, marker - SEPARATOR), marker)
  const written = WRITTEN.exec(before)?.[0]
  if (written !== undefined) return { parts: separated(text, marker, from, written), least: 8 }
  const percent = PERCENT.exec(before)?.[0]
  if (percent !== undefined) return { parts: run(text, marker - percent.length, from, isEncoded), least: LEAST }
  const space = SPACE.exec(before)?.[0]
  if (space !== undefined) return { parts: separated(text, marker, from, space), least: LEAST }
  return { parts: run(text, marker, from, isLetter), least: LEAST }
}

/** All of it at once, as far as the letters go. */
function* run(text: string, end: number, from: number, is: (code: number) => boolean): Generator<Part> {
  let start = end
  while (start > from && is(text.charCodeAt(start - 1))) start--
  if (start < end) yield { start, end, isWhole: true, isFirst: false }
}

function* separated(text: string, marker: number, from: number, separator: string): Generator<Part> {
  for (let end = marker - separator.length; end > from;) {
    let start = end
    while (start > from && isLetter(text.charCodeAt(start - 1))) start--
    // Of a written line break the last letter looks like one of the body.
    const isWritten = separator.startsWith('\\') && text[start - 1] === '\\' && text[start] === 'n'
    if (isWritten) start += 1
    const next = start - separator.length
    const isWhole = next >= from && text.startsWith(separator, next) && text[next - 1] !== '\\'
    if (start >= end || !BODY.test(text.slice(start, end))) return
    const isFirst = !isWhole && (start === 0 || !WORD.test(text.slice(start, end)))
    yield { start, end, isWhole, isFirst }
    if (!isWhole) return
    end = next
  }
}

/** Of a log, and not of a body. */
export const WORD = /^[A-Z]?[a-z]+$|^[A-Z]+$|^\d+$/

const BODY = /^=?[A-Za-z0-9+/]+={0,2}$/

function isLetter(code: number): boolean {
  return LETTERS[code] === 1
}

/** As a form or a URL writes them. */
function isEncoded(code: number): boolean {
  return code === 0x25 || (isLetter(code) && code !== 0x3d)
}

const LETTERS = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9+/=]/.test(String.fromCharCode(code)) ? 1 : 0,
)
