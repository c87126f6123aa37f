/** An object under a secret's name, `"secret": {"value": "…"}`: the strings in it under names that say no more than that. */
import type { Span, View } from '../rule.ts'
import { behindGap, frameOf } from './gap.ts'
import { quoteAt, type Name, type Quote, type Tied } from './name.ts'
import { isPlausible } from './plausible.ts'
import { endOf, withoutBackslashes, type Until } from './value.ts'

const VALUE_NAMES = new Set(
  `value values data plain plaintext cleartext raw content contents literal decoded b64 base64 hash
  current previous old new default string stringdata stringvalue valuestring`.split(/\s+/),
)

export function isValueName(name: string): boolean {
  return VALUE_NAMES.has(name.replaceAll(/[_-]/g, '').toLowerCase())
}

export function isObject({ text }: View, { quote }: Name, { tie, at }: Tied): boolean {
  if (text[at] !== '{' || (tie !== 'colon' && tie !== 'equals')) return false
  if (quote) return true
  FIRST_NAME.lastIndex = at
  return tie === 'colon' && FIRST_NAME.test(text)
}

/** `{value: x}`, or `{` at the end of its line. */
const FIRST_NAME = /\{[ \t]{0,64}(?:\r?\n|(?:\\{0,15}["'])?[\w.$-]{1,64}(?:\\{0,15}["'])?[ \t]{0,64}(?:[:=]|$))/y

/** Looked at so far: secrets stand in small objects. */
const MOST_THINGS = 100

interface Walk {
  readonly view: View
  readonly name: Name
  readonly kind: string
  readonly spans: Span[]
  depth: number
  at: number
  /** Of the member whose value comes next. */
  key: string | undefined
}

/** @param at of the brace. */
export function objectAt(view: View, at: number, name: Name, kind: string): { spans: Span[]; until?: Until } {
  const walk: Walk = { view, name, kind, spans: [], depth: 0, at, key: undefined }
  const frame = frameOf(view, name)
  for (let turn = 0; turn < MOST_THINGS; turn++) {
    const { at: next, open } = behindGap(view, walk.at, frame, BLANK)
    if (next === undefined || open || next >= view.end) break
    walk.at = next
    const letter = view.text[next]!
    if ('{[}],'.includes(letter)) {
      walk.depth += '{['.includes(letter) ? 1 : '}]'.includes(letter) ? -1 : 0
      walk.key = undefined
      walk.at++
      if (walk.depth === 0) break
    } else {
      const until = thing(walk)
      if (until === 'over') break
      if (until) return { spans: walk.spans, until }
    }
  }
  return { spans: walk.spans }
}

const BLANK = /(?:[^\S\n]|\\{1,15}[rt])*/y

/** A name with what ties it to its value, or a value. */
function thing(walk: Walk): Until | 'over' | undefined {
  const { view, kind } = walk
  const quote = quoteAt(view, walk.at)
  const start = quote ? walk.at + quote.backslashes + 1 : walk.at
  const end = quote
    ? endOf(view, start, { until: 'quote', quote })
    : endOfWords(view, start, walk.key === undefined ? KEY : WORDS)
  const open = end === view.end && !view.final
  const behind = end + (quote && !open ? quote.backslashes + 1 : 0)
  if (end === start && !quote) return 'over'
  walk.at = behind
  if (walk.key === undefined) {
    TIE.lastIndex = behind
    // An item of a list.
    if (!TIE.test(view.text)) return open ? 'over' : undefined
    walk.key = view.text.slice(start, Math.min(end, start + 100))
    walk.at = TIE.lastIndex
    return undefined
  }
  if (isSecret(walk, start, end, quote)) {
    walk.spans.push({ start, end: open ? withoutBackslashes(view, start, end) : end, kind })
    if (open && quote) return { until: 'quote', quote }
  }
  walk.key = undefined
  return open ? 'over' : undefined
}

const TIE = /[ \t]{0,64}(?:=>|[:=])/y

/** Of JSON only strings: numbers and the like are not in quotes. */
function isSecret({ view, name, kind, key }: Walk, start: number, end: number, quote: Quote | undefined): boolean {
  if (!isValueName(key!) || (!quote && name.quote)) return false
  const text = view.text.slice(start, Math.min(end, start + 1024))
  return isPlausible(text, name.name, kind, quote ? 'quoted' : 'colon')
}

function endOfWords({ text, end }: View, from: number, words: RegExp): number {
  words.lastIndex = from
  words.test(text)
  let to = Math.min(Math.max(from, words.lastIndex), end)
  while (to > from && text[to - 1] === ' ') to--
  return to
}

const KEY = /[^\n,{}[\]"'\\:=]{1,100}/y
const WORDS = /[^\n,{}[\]"'\\]{1,4096}/y
