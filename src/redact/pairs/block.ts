/** Values on the lines below their name: YAML's block scalars and lists. Each line is masked by itself, so the lines stay. */
import type { Finding, Span, View } from '../rule.ts'

export interface Block {
  readonly kind: string
  /** Lines indented deeper than this belong to it. */
  readonly column: number
  /** What of a line is secret: all of it, an item of a list, what follows `user:`. */
  readonly lines: 'all' | 'items' | 'logins'
  /** The rule that goes on with it. */
  readonly rule: string
  /** It broke off in the middle of a line whose beginning is masked. */
  readonly inLine?: boolean
}

/** @param at the begin of a line, or the middle of one that the block has part of already. */
export function blockAt(view: View, at: number, block: Block): Finding {
  const spans: Span[] = []
  let { inLine = false } = block
  for (let line = at; line < view.end; inLine = false) {
    const newline = view.text.indexOf('\n', line)
    const end = newline < 0 ? view.end : newline
    const text = view.text.slice(line, end)
    if (!inLine && ends(text, block)) return { spans }
    const range = inLine ? { start: 0, end: text.length } : secretOf(text, block)
    if (range) spans.push({ start: line + range.start, end: line + range.end, kind: block.kind })
    // What is there of a line that goes on may be sent before the rest is seen.
    if (newline < 0) return view.final ? { spans } : goingOn(spans, view.end, { ...block, inLine: range !== undefined })
    line = newline + 1
  }
  return view.final ? { spans } : goingOn(spans, view.end, { ...block, inLine: false })
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
  return secret === '' ? undefined : { start: end - secret.length, end }
}

const PATTERNS = {
  all: /^[ \t]*(?<secret>.*?)(?<tail>[ \t\r]*)$/s,
  // Not a mapping in a list: its own names decide.
  items: /^[ \t]*-[ \t]+(?![\w-]+:[ \t])["']?(?<secret>.*?)(?<tail>["']?[ \t\r]*)$/s,
  // `root:secret` of chpasswd; R and RANDOM ask for one to be made up.
  logins:
    /^[ \t]*(?:-[ \t]+)?["']?[\w.-]+:(?!(?:R|RANDOM)["']?[ \t\r]*$)(?<secret>[^ \t\r\n].*?)(?<tail>["']?[ \t\r]*)$/s,
} as const
