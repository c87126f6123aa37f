/** Lists on one line, or in JSON on many: `["a", "b"]`, and YAML's `[a, b]`. Each string is masked by itself. */
import type { Finding, Span, View } from '../rule.ts'
import { quoteAt, type Name, type Quote, type Tied } from './name.ts'
import { isPlausible } from './plausible.ts'
import { endOf, withoutBackslashes } from './value.ts'

export interface List {
  readonly kind: string
  readonly name: string
  /** Strings may stand without quotes. */
  readonly bare: boolean
  /** The rule that goes on with it. */
  readonly rule: string
  /** It broke off inside a string. */
  readonly inside?: Quote | undefined
}

export function isArray({ text }: View, name: Name, { tie, at }: Tied): boolean {
  if (text[at] !== '[' || (tie !== 'colon' && tie !== 'equals')) return false
  return name.quote !== undefined || /^\[[ \t]*(?:\\*["'\]]|[^\s,[\]]+[ \t]*[,\]])/.test(text.slice(at, at + 300))
}

/** @param at behind the bracket, or where it broke off. */
export function listAt(view: View, at: number, list: List): Finding {
  const spans: Span[] = []
  let { inside } = list
  for (let next = at; ; inside = undefined) {
    const item = inside ? { start: next, quote: inside } : itemAt(view, next, list.bare)
    if (item === 'further') return view.final ? { spans } : goingOn(spans, next, { ...list, inside: undefined })
    if (!item) return { spans }
    const { start, quote } = item
    const end = quote ? endOf(view, start, { until: 'quote', quote }) : endOfBare(view, start)
    const open = end === view.end && !view.final
    const to = open ? withoutBackslashes(view, start, end) : end
    const certain = inside !== undefined || open
    if (certain || isPlausible(view.text.slice(start, to), list.name, list.kind, 'quoted')) {
      spans.push({ start, end: to, kind: list.kind })
    }
    if (open) return goingOn(spans, to, { ...list, inside: quote })
    next = end + (quote ? quote.backslashes + 1 : 0)
  }
}

function goingOn(spans: readonly Span[], at: number, list: List): Finding {
  return { spans, pending: { rule: list.rule, at, state: list } }
}

type Item = { readonly start: number; readonly quote: Quote | undefined }

/** The next string; 'further' when it may stand behind what is known. */
function itemAt(view: View, at: number, bare: boolean): Item | 'further' | undefined {
  SEPARATOR.lastIndex = at
  SEPARATOR.test(view.text)
  const start = SEPARATOR.lastIndex
  const quote = quoteAt(view, start)
  if (quote) return { start: start + quote.backslashes + 1, quote }
  if (/^\\{0,16}$/.test(view.text.slice(start, Math.min(view.end, start + 17)))) return 'further'
  return bare && /[^[\]{}#\\]/.test(view.text[start]!) ? { start, quote: undefined } : undefined
}

/** White space as it is and as a string writes it, commas; numbers and the like between strings. */
const SEPARATOR = /(?:[\s,]|\\{1,15}[nrt]|-?\d[\d.eE+-]*(?=[\s,\]])|(?:true|false|null)(?=[\s,\]]))*/y

function endOfBare({ text, end }: View, from: number): number {
  BARE.lastIndex = from
  BARE.test(text)
  return Math.min(BARE.lastIndex, end)
}

const BARE = /[^\s,\]]*/y
