/** Lists on one line, or in JSON on many: `["a", "b"]`, and YAML's `[a, b]`. Each string is masked by itself. */
import type { Finding, Span, View } from '../rule.ts'
import type { Frame } from './frame.ts'
import { behindGap, frameOf } from './gap.ts'
import { quoteAt, type Name, type Quote, type Tied } from './name.ts'
import { isPlausible } from './plausible.ts'
import { endOf, withoutBackslashes } from './value.ts'

export interface List {
  readonly kind: string
  readonly name: string
  /** Strings may stand without quotes. */
  readonly bare: boolean
  readonly frame: Frame
  /** The rule that goes on with it. */
  readonly rule: string
  /** It broke off inside a string. */
  readonly inside?: Quote | undefined
}

export function isArray({ text }: View, name: Name, { tie, at }: Tied): boolean {
  if (text[at] !== '[' || (tie !== 'colon' && tie !== 'equals')) return false
  return name.quote !== undefined || /^\[[ \t]*(?:\\*["'\]]|[^\s,[\]]+[ \t]*[,\]])/.test(text.slice(at, at + 300))
}

/** @param at behind the bracket. */
export function listFrom(view: View, at: number, name: Name, kind: string, rule: string): Finding {
  return listAt(view, at, { kind, name: name.name, frame: frameOf(view, name), bare: !name.quote, rule })
}

/** @param at behind the bracket, or where it broke off. */
export function listAt(view: View, at: number, list: List): Finding {
  const spans: Span[] = []
  let { inside } = list
  for (let next = at; ; inside = undefined) {
    const item = inside ? { start: next, quote: inside } : itemAt(view, next, list)
    if (!item) return { spans }
    const { start, quote } = item
    if (quote === 'further') return goingOn(spans, start, { ...list, inside: undefined })
    const end = quote ? endOf(view, start, { until: 'quote', quote }) : endOfBare(view, start)
    const open = end === view.end && !view.final
    const to = open ? withoutBackslashes(view, start, end) : end
    const certain = inside !== undefined || open
    if (certain || isPlausible(view.text.slice(start, Math.min(to, start + 1024)), list.name, list.kind, 'quoted')) {
      spans.push({ start, end: to, kind: list.kind })
    }
    if (open) return goingOn(spans, to, { ...list, inside: quote })
    next = end + (quote ? quote.backslashes + 1 : 0)
    if (!/[\s,\]\\]/.test(view.text[next] ?? ' ')) return { spans }
  }
}

function goingOn(spans: readonly Span[], at: number, list: List): Finding {
  return { spans, pending: { rule: list.rule, at, state: list } }
}

type Item = { readonly start: number; readonly quote: Quote | 'further' | undefined }

/** The next string; its quote is 'further' when it may stand behind what is known. */
function itemAt(view: View, at: number, { frame, bare }: List): Item | undefined {
  const { at: start, open } = behindGap(view, at, frame, SEPARATOR)
  if (start === undefined) return undefined
  if (open) return { start, quote: 'further' }
  const quote = quoteAt(view, start)
  if (quote) return { start: start + quote.backslashes + 1, quote }
  // Part of a quotation mark, a number, a word of JSON.
  const cut = !view.final && view.end - start < 48 && /^(?:\\+|[\w.+-]+)$/.test(view.text.slice(start, view.end))
  if (cut) return { start, quote: 'further' }
  // One behind a head is a line of a log.
  const isBare = bare && frame.head === '' && /[^[\]{}#\\]/.test(view.text[start] ?? ']')
  return isBare ? { start, quote: undefined } : undefined
}

/** White space as it is and as a string writes it, commas; numbers and the like between strings. */
const SEPARATOR = /(?:[^\S\n]|,|\\{1,15}[rt]|-?\d[\d.eE+-]{0,40}(?=[\s,\]])|(?:true|false|null)(?=[\s,\]]))*/y

function endOfBare({ text, end }: View, from: number): number {
  BARE.lastIndex = from
  BARE.test(text)
  return Math.min(BARE.lastIndex, end)
}

const BARE = /[^\s,[\]]*/y
