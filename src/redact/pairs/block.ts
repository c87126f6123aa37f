/** Values on the lines below their name: YAML's block scalars and lists. Each line is masked by itself, so the lines stay. */
import { isMask } from '../mask.ts'
import type { Finding, Span, View } from '../rule.ts'

export interface Block {
  readonly kind: string
  /** Lines indented deeper than this belong to it. */
  readonly column: number
  /** What of a line is secret: all of it, an item of a list, what follows `user:`. */
  readonly lines: 'all' | 'items' | 'logins'
  /** The rule that goes on with it. */
  readonly rule: string
  /** It broke off in the middle of a long line: masked so far, or not. */
  readonly inLine?: 'masked' | 'left' | undefined
}

/** A line that is shorter when it breaks off is looked at again from its beginning, which cannot have been sent. */
const SHORT = 8 * 1024

/** @param at the begin of a line, or the middle of one that the block has part of already. */
export function blockAt(view: View, at: number, block: Block): Finding {
  const spans: Span[] = []
  let { inLine } = block
  for (let line = at; line < view.end; inLine = undefined) {
    const newline = view.text.indexOf('\n', line)
    const end = newline < 0 ? view.end : newline
    const text = view.text.slice(line, end)
    const breaks = newline < 0 && !view.final
    if (breaks && !inLine && end - line < SHORT) return goingOn(spans, line, { ...block, inLine: undefined })
    if (!inLine && ends(text, block)) return { spans }
    const range = rangeOf(text, inLine, block)
    if (range) spans.push({ start: line + range.start, end: line + range.end, kind: block.kind })
    if (breaks) return goingOn(spans, end, { ...block, inLine: range ? 'masked' : 'left' })
    if (newline < 0) return { spans }
    line = newline + 1
  }
  return view.final ? { spans } : goingOn(spans, view.end, { ...block, inLine: undefined })
}

function rangeOf(text: string, inLine: Block['inLine'], block: Block): { start: number; end: number } | undefined {
  if (inLine === 'left') return undefined
  return inLine === 'masked' ? { start: 0, end: text.replace(/["' \t\r]+$/, '').length } : secretOf(text, block)
}

function goingOn(spans: readonly Span[], at: number, block: Block): Finding {
  return { spans, pending: { rule: block.rule, at, state: block } }
}

function ends(text: string, { column, lines }: Block): boolean {
  if (text.trim() === '') return false
  const indent = /^[ \t]*/.exec(text)![0].length
  if (lines === 'items') return indent < column || !/^[ \t]*-[ \t]/.test(text)
  return indent <= column
}

function secretOf(text: string, { lines }: Block): { start: number; end: number } | undefined {
  const match = PATTERNS[lines].exec(text)
  if (!match?.groups) return undefined
  const { secret = '', tail = '' } = match.groups
  const end = match[0].length - tail.length
  return secret === '' || isMask(secret) ? undefined : { start: end - secret.length, end }
}

const PATTERNS = {
  all: /^[ \t]*(?<secret>.*?)(?<tail>[ \t\r]*)$/s,
  // Not a mapping in a list: its own names decide.
  items: /^[ \t]*-[ \t]+(?![\w-]+:[ \t])["']?(?<secret>.*?)(?<tail>["']?[ \t\r]*)$/s,
  // `root:secret` of chpasswd; R and RANDOM ask for one to be made up.
  logins:
    /^[ \t]*(?:-[ \t]+)?["']?[\w.-]+:(?!(?:R|RANDOM)["']?[ \t\r]*$)(?<secret>[^ \t\r\n].*?)(?<tail>["']?[ \t\r]*)$/s,
} as const
