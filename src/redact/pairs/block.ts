/** Values on the lines below their name: YAML's block scalars and lists. Each line is masked by itself, so the lines stay. */
import { isMask } from '../mask.ts'
import type { Finding, Span, View } from '../rule.ts'
import { lineAt, lineFrom, type Frame } from './frame.ts'

export interface Block {
  readonly kind: string
  /** Behind the head of the line. Lines indented deeper than this belong to it. */
  readonly column: number
  /** What of a line is secret: all of it, an item of a list, what follows `user:` (of which nothing else may stand between). */
  readonly lines: 'all' | 'items' | 'logins' | 'logins only'
  /** The rule that goes on with it. */
  readonly rule: string
  readonly frame: Frame
  /** It broke off in the middle of a long line: masked so far, or not. */
  readonly inLine?: 'masked' | 'left' | undefined
}

/** A line that is shorter when it breaks off is looked at again from its beginning, which cannot have been sent. */
const SHORT = 8 * 1024

/** @param at the begin of a line, or the middle of one that the block has part of already. */
export function blockAt(view: View, at: number, block: Block): Finding {
  const spans: Span[] = []
  let { inLine } = block
  for (let from = at; ; inLine = undefined) {
    const { start, end, next, open } = (inLine ? lineFrom : lineAt)(view, from, block.frame)
    if (open && !inLine && end - from < SHORT) return goingOn(spans, from, { ...block, inLine: undefined })
    if (start === undefined) return { spans }
    const text = view.text.slice(start, end)
    if (!inLine && ends(text, block)) return { spans }
    const range = rangeOf(text, inLine, block)
    if (range) spans.push({ start: start + range.start, end: start + range.end, kind: block.kind })
    if (open) return goingOn(spans, end, { ...block, inLine: range ? 'masked' : 'left' })
    if (next === undefined) return { spans }
    from = next
  }
}

function rangeOf(text: string, inLine: Block['inLine'], { lines }: Block): { start: number; end: number } | undefined {
  if (inLine === 'left') return undefined
  return inLine === 'masked' ? { start: 0, end: tailOf(text, lines) } : secretOf(text, lines)
}

function goingOn(spans: readonly Span[], at: number, block: Block): Finding {
  return { spans, pending: { rule: block.rule, at, state: block } }
}

function ends(text: string, { column, lines }: Block): boolean {
  if (text.trim() === '') return false
  if (lines === 'logins only') return !LEADS[lines].test(text)
  const indent = /^[ \t]*/.exec(text)![0].length
  if (lines === 'items') return indent < column || !/^[ \t]*-[ \t]/.test(text)
  return indent <= column
}

function secretOf(text: string, lines: Block['lines']): { start: number; end: number } | undefined {
  const lead = LEADS[lines].exec(text)?.[0].length
  if (lead === undefined) return undefined
  const end = tailOf(text, lines)
  const secret = text.slice(lead, Math.min(end, lead + 64))
  if (end <= lead || isMask(secret)) return undefined
  // What chpasswd is to make up.
  return lines.startsWith('logins') && /^(?:R|RANDOM)$/.test(secret) ? undefined : { start: lead, end }
}

/** Where the white space behind it begins, and a quotation mark. */
function tailOf(text: string, lines: Block['lines']): number {
  let end = text.length
  while (end > 0 && ' \t\r'.includes(text[end - 1]!)) end--
  if (lines === 'all' || !/["']/.test(text[end - 1] ?? '')) return end
  const quote = --end
  while (end > 0 && quote - end < 16 && text[end - 1] === '\\') end--
  return end
}

const LOGIN = /(?:\\{0,15}["'])?[\w.-]{1,200}:(?=[^ \t\r\n])/.source

/** What stands before the secret on its line. */
const LEADS = {
  all: /^[ \t]*/,
  // Not a mapping in a list: its own names decide.
  items: /^[ \t]*-[ \t]+(?![\w-]+:[ \t])(?:\\{0,15}["'])?/,
  logins: new RegExp(String.raw`^[ \t]*(?:-[ \t]+)?${LOGIN}`),
  'logins only': new RegExp(String.raw`^[ \t]*${LOGIN}`),
} as const
