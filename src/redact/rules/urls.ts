/** Secrets in URLs: credentials before the host, webhooks, signed and authorized queries. */
import { matching, rememberLong } from '../find.ts'
import type { Rule, Span, View } from '../rule.ts'
import { DSN_RULES } from './dsn.ts'
import { isPlaceholder, passwordWithQuotes } from './quoted-password.ts'
import { QUERY_RULES } from './queries.ts'
import { WEBHOOK_RULES } from './webhooks.ts'

const credentials: Rule = {
  id: 'url-credentials',
  title: 'Credentials in a URL',
  anchors: ['://', String.raw`:\/\/`],
  rank: 1,
  find(view, at) {
    const from = startOf(view, at)
    if (from === undefined) return undefined
    const end = endOfUrl(view, from)
    const rest = view.text.slice(from, Math.min(end, from + LONGEST))
    const sign = rest.indexOf('@')
    const spans = sign < 0 ? [] : secretsIn(rest)
    const isCut = rest.length === end - from && (sign < 0 || sign === rest.length - 1)
    const quoted = isCut ? passwordWithQuotes(view, at, from, end) : undefined
    if (quoted) return { spans: [quoted] }
    return spans.length > 0
      ? { spans: spans.map((span) => ({ start: from + span.start, end: from + span.end })) }
      : undefined
  },
  canary: (random) => {
    const secret = random(20)
    return { text: `postgres://app:${secret}@db.internal:5432/app?sslmode=require\n`, secrets: [secret] }
  },
}

const LONGEST = 2048

function startOf({ text }: View, at: number): number | undefined {
  if (text[at + 1] === '\\') return at + 5
  return /[A-Za-z0-9]/.test(text[at - 1] ?? '') ? at + 3 : undefined
}

/** The same for all of `a://a:a://a:…`. */
function endOfUrl(view: View, from: number): number {
  const known = LONG_URLS.holding(view, from)
  if (known) return known.end
  URL.lastIndex = from
  URL.test(view.text)
  LONG_URLS.add(view, [{ start: from, end: URL.lastIndex }])
  return URL.lastIndex
}

const LONG_URLS = rememberLong()

/** A backslash is part of it unless it escapes what follows. */
const URL = /(?:[^\s"'`<>\\]|\\(?![\s"'`<>\\nrtu]))*/y

function secretsIn(rest: string): Span[] {
  const at = endOfUserinfo(rest)
  if (at <= 0) return []
  const colon = rest.indexOf(':')
  if (colon < 0 || colon > at) return isTokenLike(rest.slice(0, at)) ? [{ start: 0, end: at }] : []
  if (rest.startsWith('[') || /[/?#]/.test(rest.slice(0, colon))) return []
  const spans: Span[] = []
  if (isTokenLike(rest.slice(0, colon))) spans.push({ start: 0, end: colon })
  if (!isPlaceholder(rest.slice(colon + 1, at))) spans.push({ start: colon + 1, end: at })
  return spans
}

/** The `@` before the host. Passwords hold `/`, `#`, `?` and `@` where somebody forgot to escape them. */
function endOfUserinfo(rest: string): number {
  const stop = rest.search(/[/?#]/)
  const authority = stop < 0 ? rest : rest.slice(0, stop)
  const plain = authority.lastIndexOf('@')
  const colon = authority.indexOf(':')
  // `host:8080/…` has a port.
  if (colon < 0 || (plain < 0 && /^\d*$/.test(authority.slice(colon + 1)))) return plain
  const later = rest.lastIndexOf('@')
  const between = rest.slice(Math.max(plain, 0), later)
  return later > plain && HOST.test(rest.slice(later)) && !/[=&]|:\/\/|\/$/.test(between) ? later : plain
}

const HOST = /^@(?:\[|localhost\b|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:\d)/

function isTokenLike(text: string): boolean {
  return /^[A-Za-z0-9_~.%+=-]{20,}$/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text) && !/[.-].*[.-]/.test(text)
}

const escaped: Rule = {
  id: 'url-credentials-escaped',
  title: 'Credentials in a percent-encoded URL',
  anchors: ['%3a%2f%2f'],
  rank: 1,
  ...matching(
    'url-credentials-escaped',
    /%3[Aa]%2[Ff]%2[Ff][A-Za-z0-9_.-]{0,64}%3[Aa](?<secret>[A-Za-z0-9_.~!*+-]+(?:%(?!40|2[Ff])[0-9A-Fa-f]{2}[A-Za-z0-9_.~!*+-]*){0,64})(?=%40)/,
  ),
  canary: (random) => {
    const secret = random(20)
    return { text: `GET /go?to=https%3A%2F%2Fapp%3A${secret}%40example.com%2F\n`, secrets: [secret] }
  },
}

export const URL_RULES: readonly Rule[] = [credentials, escaped, ...DSN_RULES, ...WEBHOOK_RULES, ...QUERY_RULES]
