/** `name=value` in every notation: shell, environment, INI, YAML, JSON (escaped or not), flags, XML. */
import { rememberLong } from '../find.ts'
import { isArray, listAt, listFrom, type List } from '../pairs/array.ts'
import { below } from '../pairs/below.ts'
import { blockAt, type Block } from '../pairs/block.ts'
import { isFirst, nameAt, tieOf, type Name, type Tied, quoteAt } from '../pairs/name.ts'
import { isObject, objectAt } from '../pairs/object.ts'
import { isPlausible, type Tie } from '../pairs/plausible.ts'
import { endOf, valueAt, withoutBackslashes, type Until, type Value } from '../pairs/value.ts'
import { NAME_ANCHORS, secretKind } from '../pairs/words.ts'
import type { Finding, Pending, Rule, Span, View } from '../rule.ts'

const ID = 'pair'

/** @param furtherNames names that the configuration calls secret, in lower case. */
export function pairRule(furtherNames: readonly string[] = []): Rule {
  const further = new Set(furtherNames)
  return {
    id: ID,
    title: 'values under names that say so: password, secret, token, api_key, private_key, connection_string, …',
    anchors: [...NAME_ANCHORS, ...further],
    rank: 0,
    find: (view, at) => find(view, at, further),
    resume,
    canary: (random) => {
      const secrets = Array.from({ length: 7 }, () => random(14))
      const [shell, json, escaped, flag, yaml, url, list] = secrets
      const text = [
        `run: DB_PASSWORD=${shell} ./start --api-token ${flag} --verbose`,
        `{"user":"a","clientSecret":"${json}","n":1}`,
        `level=info msg="{\\"password\\":\\"${escaped}\\"}"`,
        `  password: ${yaml}`,
        `GET /x?page=1&access_token=${url}&z=1`,
        `      "--password",\n      "${list}"`,
      ].join('\n')
      return { text, secrets }
    },
  }
}

export const PAIR_RULES: readonly Rule[] = [pairRule()]

function find(view: View, at: number, further: ReadonlySet<string>): Finding | undefined {
  const name = LONG.holding(view, at) ? undefined : nameAt(view, at)
  if (!name) return undefined
  const kind = secretKind(name.name, further)
  if (kind === undefined) return undefined
  const tied = tieOf(view, name)
  if (!tied || tied.at >= view.end) return undefined
  if (isPrompt(view, name, tied)) return undefined
  if (isArray(view, name, tied)) return listFrom(view, tied.at + 1, name, kind, ID)
  if (isObject(view, name, tied)) return object(view, name, tied, kind)
  return below(view, tied, { name, kind, rule: ID }) ?? single(view, name, tied, kind)
}

/** Of `psk=psk=…` every part is a name. What ends a long value may still be the name of the next. */
const LONG = rememberLong()
const TAIL = 256

function object(view: View, name: Name, { at }: Tied, kind: string): Finding | undefined {
  const { spans, until } = objectAt(view, at, name, kind)
  return spans.length > 0 ? going(spans, until && { kind, until }) : undefined
}

/** `'Password: '`: the quotation mark behind it closes the string that the name stands in. */
function isPrompt(view: View, { around }: Name, { at }: Tied): boolean {
  if (!around) return false
  const next = quoteAt(view, at)
  return next?.mark === around.mark && next.backslashes === around.backslashes
}

function single(view: View, name: Name, tied: Tied, kind: string): Finding | undefined {
  const value = ofParameter(view, name, tied, valueAt(view, name, tied))
  const text = view.text.slice(value.start, Math.min(value.end, value.start + JUDGED))
  // `<password>` in a help text is no element.
  if (tied.tie === 'element' && !value.open && !view.text.startsWith('</', value.end)) return undefined
  const tie: Tie = value.inQuotes || tied.tie === 'element' ? 'quoted' : tied.tie
  // The first thing on a line of configuration is no prose.
  const judged = tie === 'colon' && !/\s/.test(text) && isFirst(view, name) ? 'equals' : tie
  if (!isPlausible(text, name.name, kind, judged)) return undefined
  LONG.add(view, [{ start: value.start, end: value.end - TAIL }])
  // JSON: a number without quotes of its own.
  const number = name.quote && !value.inQuotes && tied.tie === 'colon' && /^-?\d[\d.eE+-]*$/.test(text)
  const quoted = number ? '\\'.repeat(name.quote.backslashes) + name.quote.mark : ''
  return going(
    [{ start: value.start, end: value.end, kind, quoted }],
    value.open ? { kind, until: value.until } : undefined,
  )
}

/** In the query of a URL, or of one within a URL, the next parameter or the fragment ends it. */
function ofParameter({ text }: View, { start, name }: Name, { tie }: Tied, value: Value): Value {
  if (tie !== 'equals' || value.inQuotes) return value
  const encoded = text[start - 1] === '%' && /^(?:26|3f)/i.test(name)
  const plain = /(?:[?&]|&amp;)$/.test(text.slice(Math.max(0, start - 5), start)) || /^u00(?:26|3f)/i.test(name)
  if (!encoded && !plain) return value
  const stop = encoded ? /[&#]|%26|%23/gi : /[&#]|\\u0026/gi
  stop.lastIndex = value.start
  const found = stop.exec(text)?.index ?? value.end
  return found < value.end ? { ...value, end: found, open: false } : value
}

/** By its beginning a long value is told from prose: not all of it is looked at for every name that stands in it. */
const JUDGED = 1024

interface Going {
  readonly kind: string
  readonly until: Until
}

function going(spans: readonly Span[], state: Going | undefined): Finding {
  return { spans, ...(state ? { pending: { rule: ID, at: spans.at(-1)!.end, state } } : {}) }
}

function resume(view: View, { at, state }: Pending): Finding {
  if ((state as Block).lines !== undefined) return blockAt(view, at, state as Block)
  if ((state as List).bare !== undefined) return listAt(view, at, state as List)
  const { kind, until } = state as Going
  const end = endOf(view, at, until)
  const open = end === view.end && !view.final
  return going(
    [{ start: at, end: open ? withoutBackslashes(view, at, end) : end, kind }],
    open ? { kind, until } : undefined,
  )
}
