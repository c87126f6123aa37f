/** Where a value ends, in every notation; and how it goes on when that is not in view yet. */
import type { View } from '../rule.ts'
import { isFirst, quoteAt, type Name, type Quote, type Tied } from './name.ts'

/** What ends a value that reaches beyond what is known. */
export type Until =
  | { readonly until: 'quote'; readonly quote: Quote }
  | { readonly until: 'space' | 'line' | 'cell' | 'element' }

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
  if (!name.quote && tie !== 'space' && !name.name.startsWith('-') && isFirst(view, name)) {
    if (tie === 'equals' && COMMAND.test(view.text.slice(at, at + 512))) return value(view, at, SPACE, false)
    return value(view, at, { until: tie === 'equals' ? 'cell' : 'line' }, false)
  }
  return value(view, at, SPACE, false)
}

const SPACE = { until: 'space' } as const
const LITERAL = /(?:-?\d[\d.eE+-]*|true|false|null)(?=[\s,\]}\\]|$)/y
/** Behind the first word, on the same line, a flag or another pair. */
const MORE = /^[^\s"']+[ \t]+(?:[^\s"']+[ \t]+){0,8}(?:-{1,2}[a-zA-Z]|[A-Za-z_][\w.-]*=)/

/**
 * `PASSWORD=a ./start`: behind the first word a path or a program that is no word of a passphrase, or what joins commands.
 */
const COMMAND =
  /^[^\s"']+[ \t]+(?:(?:exec|sudo|nohup|env)[ \t]+)?(?:~?\.{0,2}\/[\w.]|(?:&&|\|\|?|;)(?:\s|$)|(?:psql|pg_\w+|mysql\w*|mariadb\w*|docker|podman|kubectl|helm|npm|npx|node(?:js)?|python[\d.]*|pip[\d.]*|php|bash|curl|wget|restic|borg|rclone|ansible\S*|terraform|systemctl|redis-\w+|mongo\w+)(?:\s|$))/

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
  // A column of its own: the value ends where the next one begins.
  if (until.until === 'cell') return trimmed(view, from, endBy(view, from, /[\r\n\0\t]/g))
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
  const marks = MARKS[mark]!
  marks.lastIndex = from
  for (let match = marks.exec(text); match && match.index < end; match = marks.exec(text)) {
    const found = match.index
    if (match[0] === '\n') return found
    let before = 0
    while (text[found - before - 1] === '\\') before++
    if (before < backslashes || before % (2 * backslashes + 2) === backslashes) {
      return Math.max(from, found - Math.min(before, backslashes))
    }
  }
  return end
}

const MARKS: Readonly<Record<string, RegExp>> = { '"': /["\n]/g, "'": /['\n]/g, '`': /[`\n]/g }

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
  const { space, pair } = wordAt(view, from)
  let stop = Math.min(space, pair)
  for (let turn = 0; turn < MOST_BRACKETS && stop > from && (stop < end || view.final); turn++) {
    if (!/[,;)\]}]/.test(text[stop - 1]!) || opens(text, from, stop)) break
    stop--
  }
  return stop
}

const MOST_BRACKETS = 64

interface Word {
  readonly from: number
  /** Where white space or a quotation mark ends it, and where another pair begins in it. */
  readonly space: number
  readonly pair: number
}

/** Of `a=b=c=…` every part may be a name: the end of all of it is looked for once. */
function wordAt(view: View, from: number): Word {
  const known = WORDS.get(view)
  const isInside = known !== undefined && from >= known.from && from < known.space
  if (isInside && from <= known.pair) return known
  const space = isInside ? known.space : endBy(view, from, /[\s"'`<\0\x1b]|\\{1,15}(?:["'nrt]|u001b)/g)
  const next = view.text.slice(from, Math.min(space + 80, view.end)).search(NEXT_PAIR)
  const word = { from, space, pair: next < 0 ? Infinity : from + next }
  WORDS.set(view, word)
  return word
}

const WORDS = new WeakMap<View, Word>()

const NEXT_PAIR = /[,;&|](?=[\s(]*[\w.-]{1,64}["']?\s{0,4}[=:])|[;|&](?=\s|$)/

/** Whether the closing bracket at the end was opened inside. */
function opens(text: string, from: number, stop: number): boolean {
  const pair = { ')': '(', ']': '[', '}': '{' }[text[stop - 1]!]
  return pair !== undefined && text.slice(from, stop).includes(pair)
}
