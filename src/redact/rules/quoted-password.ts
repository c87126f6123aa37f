/** Passwords of URLs that hold what ends a URL elsewhere: quotation marks and angle brackets. */
import type { Span, View } from '../rule.ts'

/**
 * @param at of the `:` of `://`
 * @param from behind it
 * @param end where the URL would end but for these
 */
export function passwordWithQuotes(view: View, at: number, from: number, end: number): Span | undefined {
  const { text } = view
  if (!/["'`<>\\]/.test(text[end] ?? '') || !text.slice(from, from + LONGEST).includes('@')) return undefined
  PASSWORD.lastIndex = from
  const match = PASSWORD.exec(text)
  if (!match) return undefined
  const secret = match[2]!
  const opener = openerOf(text, at)
  const isClosed = [...secret.matchAll(MARK)].some(([, escapes, mark]) => closes(opener, mark!, escapes!.length))
  if (isClosed || secret.includes('<masked:') || isPlaceholder(secret.replaceAll(OUTER, ''))) return undefined
  const start = from + match[1]!.length + 1
  return { start, end: start + secret.length }
}

const LONGEST = 400

/**
 * A mark belongs to it where a string cannot end: what follows an end is punctuation, white space or an operator. A port before a
 * mark is a port, `<b>` a tag. What follows the `@` has to be a host.
 */
const PASSWORD = new RegExp(
  [
    String.raw`([\w.%+~-]{0,64}):(?!\d{1,5}\\*["'${'`'}<>])`,
    String.raw`((?:[^\s"'${'`'}<>\\/?#]|\\{0,7}["'${'`'}](?![\s,}\]):;>&=|\\/+.]|$)|<(?![/!?a-z][^<>\s]{0,40}>)|>|\\(?![\s"'${'`'}<>\\nrtu])){1,256})`,
    String.raw`@(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,9}(?=[:/?,;<)\]}\s"'${'`'}\\]|$)|\[[\da-f:.]{2,}\])`,
  ].join(''),
  'iy',
)

const MARK = /(\\*)(["'`>])/g
const OUTER = /^\\*["'`]|\\*["'`]$/g

interface Opener {
  readonly mark: string
  readonly backslashes: number
}

/** What stands right before the URL. */
function openerOf(text: string, at: number): Opener | undefined {
  const before = /(\\*)(["'`<])[A-Za-z0-9+.:-]*$/.exec(text.slice(Math.max(0, at - 40), at))
  return before ? { mark: before[2] === '<' ? '>' : before[2]!, backslashes: before[1]!.length } : undefined
}

function closes(opener: Opener | undefined, mark: string, backslashes: number): boolean {
  return opener !== undefined && opener.mark === mark && backslashes <= opener.backslashes
}

/** As users and programs write what stands for a secret. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text)
}

const PLACEHOLDER =
  /^(?:\$\{?\w+\}?|\$\{[^}]*\}|\$\(.*|[*]+|[xX]{3,}|%s|%[0-9A-F]{2}s|\{.*\}|\[.*\]|<[^<>]*>|-|…|redacted|)$/i
