/** Cookies: names and attributes stay, values go. */
import { rememberLong } from '../find.ts'
import type { Finding, Rule, Span, View } from '../rule.ts'

/** The name, quotes of JSON or of a shell, and what separates name and value. */
const HEADER = /(?<![A-Za-z0-9]|; ?)cookie2?(\\*["'])?\s{0,4}(?:=>|[:=,])\s{0,4}(\[?)\s{0,4}(\\*["'])?/iy

/** One `name=value`, or an attribute; a value may be in quotes of its own. */
const PAIR = /[ \t]{0,4}([!#$%&*+.^_|~A-Za-z0-9-]{1,256})(?:=(\\*"[^"\\\r\n]{0,4096}\\*"|[^;\s"'<>\\]*))?/y
const ATTRIBUTE = /^(?:path|expires|max-age|domain|samesite|secure|httponly|version|comment|priority|partitioned)$/i
const ATTRIBUTE_VALUE = /[^;\r\n"'\\]*/y

/** In an array the next one follows. */
const NEXT = /\\*["']\s{0,4},\s{0,4}\\*["']/y

const cookie: Rule = {
  id: 'cookie',
  title: 'Value of a cookie',
  anchors: ['cookie'],
  rank: 1,
  find(view, at) {
    const header = LONG.holding(view, at) ? null : matchAt(HEADER, view.text, at)
    if (!header) return undefined
    const finding = values(view, at + header[0].length, header[2] === '[')
    LONG.add(view, finding.spans)
    return finding
  },
  resume: (view, { at, state }) => values(view, at, state === true, true),
  canary: (random) => {
    const secrets = [random(24), random(32, 'hex')]
    return {
      text: `< Set-Cookie: session=${secrets[0]}; Path=/; HttpOnly\r\n> Cookie: a=1; csrf=${secrets[1]}\r\n`,
      secrets,
    }
  },
}

const LONG = rememberLong()

function values(view: View, from: number, array: boolean, within = false): Finding {
  const { text } = view
  const spans: Span[] = []
  let at = from
  if (within) {
    at = matchAt(VALUE, text, from)![0].length + from
    spans.push({ start: from, end: at })
    if (at >= view.end && !view.final) return { spans, pending: { rule: cookie.id, at, state: array } }
    if (text[at] === ';') at++
  }
  for (const stop = at + LONGEST; at <= stop;) {
    const pair = matchAt(PAIR, text, at)
    if (!pair) break
    const [whole, name, value] = pair
    const end = at + whole.length
    if (value === undefined && !ATTRIBUTE.test(name!)) break
    if (ATTRIBUTE.test(name!)) at = end + (value === undefined ? 0 : matchAt(ATTRIBUTE_VALUE, text, end)![0].length)
    else {
      spans.push({ start: end - value!.length, end })
      if (end >= view.end && !view.final) return { spans, pending: { rule: cookie.id, at: end, state: array } }
      at = end
    }
    if (text[at] === ';') at++
    else {
      const next = array ? matchAt(NEXT, text, at) : null
      if (!next) break
      at += next[0].length
    }
  }
  return { spans }
}

/** Servers take no more; without a bound a text of nothing but cookies would take for ever. */
const LONGEST = 8192

const VALUE = /[^;\s"'<>\\]*/y

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export const COOKIE_RULES: readonly Rule[] = [cookie]
