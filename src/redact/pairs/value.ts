/** Where a value ends, in every notation; and how it goes on when that is not in view yet. */
import type { View } from '../rule.ts'
import { quoteAt, type Name, type Quote, type Tied } from './name.ts'

/** What ends a value that reaches beyond what is known. */
export type Until =
  | { readonly until: 'quote'; readonly quote: Quote }
  | { readonly until: 'space' | 'line' | 'element' }

export interface Value {
  readonly start: number
  readonly end: number
  readonly until: Until
  /** In quotes of its own. */
  readonly inQuotes: boolean
  /** Ends where what is known ends. */
  readonly open: boolean
}

export function valueAt(view: View, name: Name, { tie, at }: Tied): Value {
  const own = quoteAt(view, at)
  if (own) return value(view, at + own.backslashes + 1, { until: 'quote', quote: own }, true)
  // JSON: a number, true, null.
  if (name.quote && tie === 'colon') {
    LITERAL.lastIndex = at
    if (LITERAL.test(view.text))
      return { start: at, end: LITERAL.lastIndex, until: SPACE, inQuotes: false, open: false }
  }
  if (tie === 'element') return value(view, at, { until: 'element' }, false)
  // `PGPASSWORD=a psql -h db`, `password=a user=b`: neither a text in quotes nor a line of configuration.
  if (tie === 'equals' && MORE.test(view.text.slice(at, at + 512))) return value(view, at, SPACE, false)
  // The quotation mark before `"PASSWORD=a b"` ends it.
  if (name.around && tie === 'equals') {
    const found = value(view, at, { until: 'quote', quote: name.around }, false)
    return found.open ? found : { ...found, end: withoutLineBreak(view, at, found.end) }
  }
  if (name.column !== undefined && !name.quote && tie !== 'space' && !name.name.startsWith('-')) {
    return value(view, at, { until: 'line' }, false)
  }
  return value(view, at, SPACE, false)
}

const SPACE = { until: 'space' } as const
const LITERAL = /(?:-?\d[\d.eE+-]*|true|false|null)(?=[\s,\]}\\]|$)/y
/** Behind the first word, on the same line, a flag or another pair. */
const MORE = /^[^\s"']+[ \t]+(?:[^\s"']+[ \t]+){0,8}(?:-{1,2}[a-zA-Z]|[A-Za-z_][\w.-]*=)/

/** `"password=a\n"`: the line of a log in JSON. */
function withoutLineBreak({ text }: View, from: number, end: number): number {
  const tail = /(?:\\+[nr])+$/.exec(text.slice(Math.max(from, end - 40), end))
  return end - (tail?.[0].length ?? 0)
}

/** Where it ends from here on. */
export function endOf(view: View, from: number, until: Until): number {
  if (until.until === 'quote') return closing(view, from, until.quote)
  if (until.until === 'element') return endBy(view, from, /[<\n]/g)
  if (until.until === 'line') return trimmed(view, from, endBy(view, from, /[\r\n\0]/g))
  return bare(view, from)
}

function value(view: View, start: number, until: Until, inQuotes: boolean): Value {
  const end = endOf(view, start, until)
  const open = end === view.end && !view.final
  return { start, end: open ? withoutBackslashes(view, start, end) : end, until, inQuotes, open }
}

/** Backslashes at the end of what is known belong to what comes. */
export function withoutBackslashes({ text }: View, from: number, end: number): number {
  let to = end
  while (to > from && end - to < 16 && text[to - 1] === '\\') to--
  return to
}

/**
 * The mark that is written as the opening one was: in a string with `b` backslashes before its marks, one more level of
 * escaping doubles them, so `b`, or `b` behind whole pairs of escaped backslashes. Fewer end the string around it. At the
 * latest the line's end.
 */
function closing({ text, end }: View, from: number, { mark, backslashes }: Quote): number {
  const line = indexOr(text.indexOf('\n', from), end)
  for (let at = from; ;) {
    const found = text.indexOf(mark, at)
    if (found < 0 || found >= line) return Math.min(line, end)
    let before = 0
    while (text[found - before - 1] === '\\') before++
    if (before < backslashes || before % (2 * backslashes + 2) === backslashes) {
      return Math.max(from, found - Math.min(before, backslashes))
    }
    at = found + 1
  }
}

function indexOr(index: number, otherwise: number): number {
  return index < 0 ? otherwise : index
}

function endBy({ text, end }: View, from: number, stop: RegExp): number {
  stop.lastIndex = from
  return Math.min(stop.exec(text)?.index ?? end, end)
}

function trimmed({ text }: View, from: number, end: number): number {
  let to = end
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to--
  return to
}

/**
 * To white space or a quotation mark; to a comma, semicolon or ampersand only where another pair follows: they occur in
 * passwords. Brackets and commas that close what was opened before the value stay.
 */
function bare(view: View, from: number): number {
  const { text, end } = view
  let stop = endBy(view, from, /[\s"'`<\0\x1b]|\\{1,15}(?:["'nrt]|u001b)/g)
  const next = text.slice(from, Math.min(stop + 80, end)).search(NEXT_PAIR)
  if (next >= 0 && from + next < stop) stop = from + next
  while (stop > from && (stop < end || view.final) && /[,;)\]}]/.test(text[stop - 1]!) && !opens(text, from, stop))
    stop--
  return stop
}

const NEXT_PAIR = /[,;&|](?=[\s(]*[\w.-]{1,64}["']?\s{0,4}[=:])|[;|&](?=\s|$)/

/** Whether the closing bracket at the end was opened inside. */
function opens(text: string, from: number, stop: number): boolean {
  const pair = { ')': '(', ']': '[', '}': '{' }[text[stop - 1]!]
  return pair !== undefined && text.slice(from, stop).includes(pair)
}
