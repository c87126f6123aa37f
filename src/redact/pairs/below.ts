/** What stands below a secret's name: YAML's block scalars, lists, a scalar or an object on lines that are indented. */
import type { Finding, Span, View } from '../rule.ts'
import { blockAt } from './block.ts'
import { breakAt, frameAt, lineAt, type Framed } from './frame.ts'
import { isLead, quoteAt, type Name, type Tied } from './name.ts'
import { isValueName } from './object.ts'
import { isPlausible } from './plausible.ts'
import { endOf } from './value.ts'

interface Secret {
  readonly name: Name
  readonly kind: string
  readonly rule: string
}

/** The values on the lines below, if any are; undefined when the name's own line goes on. */
export function below(view: View, { tie, at }: Tied, secret: Secret): Finding | undefined {
  if (tie !== 'colon') return undefined
  BLOCK_MARK.lastIndex = at
  const mark = BLOCK_MARK.exec(view.text)![1]
  const lineBreak = breakAt(view, BLOCK_MARK.lastIndex)
  const framed = lineBreak && frameAt(view, withQuote(secret.name), lineBreak)
  if (!framed || !isLead(framed.lead)) return undefined
  const block = { kind: secret.kind, rule: secret.rule, column: framed.column, frame: framed.frame }
  if (mark !== undefined) return blockAt(view, lineBreak.next, { ...block, lines: 'all' })
  // Comments and quotations: what stands in them is prose.
  if (framed.frame.head !== '' && !/[0a-z]/i.test(framed.frame.head)) return NOTHING
  const items = blockAt(view, lineBreak.next, { ...block, lines: 'items' })
  if (items.spans.length > 0 || items.pending) return items
  return { spans: indented(view, lineBreak.next, framed, secret) }
}

const NOTHING: Finding = { spans: [] }
const BLOCK_MARK = /([|>][-+0-9]{0,2})?[ \t]*(?:#[ \t][^\n\\]{0,200})?/y

/** The quotation mark of a quoted name is its first column. */
function withQuote({ start, quote }: Name): number {
  return quote ? start - quote.backslashes - 1 : start
}

/** Longer ones are no scalars, and more lines no object, that anybody writes. */
const LONGEST = 4096
const MOST_LINES = 16

function indented(view: View, from: number, { frame, column }: Framed, secret: Secret): Span[] {
  const spans: Span[] = []
  let at: number | undefined = from
  for (let turn = 0; turn < MOST_LINES && at !== undefined; turn++) {
    const { start, end, next, open } = lineAt(view, at, frame)
    if (start === undefined || open || end - start > LONGEST) break
    const text = view.text.slice(start, end)
    const indent = /^[ \t]*/.exec(text)![0].length
    if (indent <= column) break
    const member = MEMBER.exec(text)
    if (turn === 0 && !member) {
      const range = scalar(view, start + indent, end, secret)
      return range && !goesOn(view, next, { frame, column }) ? [range] : []
    }
    const range = member && isValueName(member[1]!) && scalar(view, start + member[0].length, end, secret)
    if (range) spans.push(range)
    at = next
  }
  return spans
}

const MEMBER = /^[ \t]*(?:\\{0,15}["'])?([\w.-]{1,64})(?:\\{0,15}["'])?:(?:[ \t]+|$)/

/** In quotes, or a single word. */
function scalar(view: View, start: number, end: number, { name, kind }: Secret): Span | undefined {
  const quote = quoteAt(view, start)
  const from = quote ? start + quote.backslashes + 1 : start
  const to = quote ? endOf(view, from, { until: 'quote', quote }) : end
  const text = view.text.slice(from, to).trimEnd()
  if (!quote && !/^(?:[^\s{}[\]|>&*!%@`#\\-]|-(?!\s))\S*(?<!:)$/.test(text)) return undefined
  if (!isPlausible(text, name.name, kind, quote ? 'quoted' : 'colon')) return undefined
  return { start: from, end: from + text.length, kind }
}

/** A second line as deep: a list of words, or prose. */
function goesOn(view: View, at: number | undefined, { frame, column }: Pick<Framed, 'frame' | 'column'>): boolean {
  if (at === undefined) return false
  const { start, end } = lineAt(view, at, frame)
  if (start === undefined) return false
  const text = view.text.slice(start, Math.min(end, start + column + 80))
  return text.trim() !== '' && /^[ \t]*/.exec(text)![0].length > column
}
