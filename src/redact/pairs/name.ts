/** The name around an anchor, and what ties it to a value. */
import type { View } from '../rule.ts'
import { breakAt } from './frame.ts'
import { behindGap, frameOf } from './gap.ts'
import type { Tie } from './plausible.ts'

/** A quotation mark and the backslashes before it: JSON inside a string inside JSON has three. */
export interface Quote {
  readonly mark: string
  readonly backslashes: number
}

export interface Name {
  readonly name: string
  readonly start: number
  readonly end: number
  /** Of the name itself: `"password": …`. */
  readonly quote: Quote | undefined
  /** Opened before the name and not closed behind it: `"PASSWORD=a b"`. */
  readonly around: Quote | undefined
}

/** Longer names are no names. */
const LONGEST = 96

export function nameAt(view: View, at: number): Name | undefined {
  const start = back(view.text, at)
  let end = at
  while (end < view.end && end - at < LONGEST && isNameCode(view.text.charCodeAt(end))) end++
  if (end - start > LONGEST) return undefined
  const name = view.text.slice(start, end)
  const opened = quoteBefore(view.text, start)
  const closed = opened && quoteAt(view, end)
  const own = closed && closed.mark === opened.mark && closed.backslashes === opened.backslashes
  return {
    name,
    start,
    end: own ? end + closed.backslashes + 1 : end,
    quote: own ? opened : undefined,
    around: own ? undefined : opened,
  }
}

export interface Tied {
  readonly tie: Tie | 'element'
  /** Where the value begins. */
  readonly at: number
}

/** What ties the name to a value; undefined when nothing does. */
export function tieOf(view: View, found: Name): Tied | undefined {
  const { end, quote, name, start } = found
  const { text } = view
  ASSIGNED.lastIndex = end
  const assigned = ASSIGNED.exec(text)
  if (assigned) {
    const mark = assigned[1]!
    // `${DB_PASSWORD:-what it is otherwise}`
    if (mark === ':' && text.startsWith('${', start - 2)) {
      return /[-=+]/.test(text[end + 1] ?? '') ? { tie: 'equals', at: end + 2 } : undefined
    }
    if (mark === '==' || mark === '===') return undefined
    // `rpassword::prompt`
    if (mark === ':' && text[ASSIGNED.lastIndex] === ':') return undefined
    // `/etc/passwd: No such file`: a path.
    if (mark === ':' && text[start - 1] === '/') return undefined
    return {
      tie: (mark.startsWith(':') && mark !== ':=') || mark === '%3A' ? 'colon' : 'equals',
      at: ASSIGNED.lastIndex,
    }
  }
  if (text[start - 1] === '<' && text[end] === '>') return { tie: 'element', at: end + 1 }
  if (!name.startsWith('-')) return undefined
  // A flag: its value is the next argument.
  if (!quote && isHelp(text, start, end)) return undefined
  const next = quote ? nextElement(view, found) : nextArgument(text, end)
  return next === undefined ? undefined : { tie: quote ? 'quoted' : 'space', at: next }
}

function nextArgument(text: string, at: number): number | undefined {
  NEXT_ARGUMENT.lastIndex = at
  return NEXT_ARGUMENT.test(text) ? NEXT_ARGUMENT.lastIndex : undefined
}

/** `"--password",` and the next string of the list, on this line or the next. */
function nextElement(view: View, name: Name): number | undefined {
  NEXT_ELEMENT.lastIndex = name.end
  if (!NEXT_ELEMENT.test(view.text)) return undefined
  const behind = NEXT_ELEMENT.lastIndex
  const next = breakAt(view, behind) ? behindGap(view, behind, frameOf(view, name), BLANK).at : behind
  return next !== undefined && quoteAt(view, next) ? next : undefined
}

/** A flag that begins its line and stands in a column of its own: what it is good for is said in the next. */
function isHelp(text: string, start: number, end: number): boolean {
  if (text[end] !== ' ' || text[end + 1] !== ' ') return false
  return /(?:^|\n)[ \t]*(?:-\w,?[ \t]*)?$/.test(text.slice(Math.max(0, start - 80), start))
}

const ASSIGNED =
  /(?:\]|\x1b\[[\d;]*m|\\u001b\[[\d;]*m){0,4}[ \t]{0,64}(={1,3}>?|:=|=>|:|%3D|%3A)(?:\x1b\[[\d;]*m|\\u001b\[[\d;]*m){0,4}[ \t]{0,256}/iy
const NEXT_ARGUMENT = /[ \t\0]{1,16}(?=[^\s-]|-[^-\s])/y
const NEXT_ELEMENT = /[ \t]{0,16},(?:[ \t]|\\{1,8}t){0,64}/y
const BLANK = /(?:[^\S\n]|\\{1,8}[rt]){0,64}/y

export function quoteAt(view: View, at: number): Quote | undefined {
  let backslashes = 0
  while (view.text[at + backslashes] === '\\' && backslashes < 16) backslashes++
  const mark = view.text[at + backslashes]
  return at + backslashes < view.end && isMark(mark) ? { mark, backslashes } : undefined
}

function quoteBefore(text: string, at: number): Quote | undefined {
  const mark = text[at - 1]
  if (!isMark(mark)) return undefined
  let backslashes = 0
  while (text[at - 2 - backslashes] === '\\' && backslashes < 16) backslashes++
  return { mark, backslashes }
}

function isMark(letter: string | undefined): letter is string {
  return letter === '"' || letter === "'" || letter === '`'
}

/** Backwards to where the name begins. A backslash-n before it is a line break in a string, not its first letter. */
function back(text: string, at: number): number {
  let start = at
  while (start > 0 && at - start < LONGEST && isNameCode(text.charCodeAt(start - 1))) start--
  if (text[start - 1] === '\\' && /[nrt]/.test(text[start] ?? '') && start < at) start++
  return start
}

/** Letters, digits, `_`, `-`, `.`. */
function isNameCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46
  )
}

/** The first thing on its line: a line of configuration. */
export function isFirst({ text }: View, { start }: Name): boolean {
  const before = text.slice(Math.max(0, start - LONGEST_LEAD - 1), start)
  const line = before.lastIndexOf('\n') + 1
  return (line > 0 || start <= LONGEST_LEAD) && isLead(before.slice(line))
}

const LONGEST_LEAD = 200

/** Nothing but white space, a list's dash, a comment's mark, `export`, `set`, an opening quote. */
export function isLead(text: string): boolean {
  return /^[ \t]*(?:(?:-|#|;|export|set|ENV|ARG|declare -x|Environment=)[ \t]*)*(?:\\{0,15}["'])?$/.test(text)
}
