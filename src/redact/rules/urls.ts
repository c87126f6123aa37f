/** Secrets in URLs: credentials before the host, webhooks, signed and authorized queries. */
import { matching } from '../find.ts'
import type { Rule, Span } from '../rule.ts'
import { QUERY_RULES } from './queries.ts'
import { WEBHOOK_RULES } from './webhooks.ts'

const credentials: Rule = {
  id: 'url-credentials',
  title: 'Credentials in a URL',
  anchors: ['://', String.raw`:\/\/`],
  rank: 1,
  find(view, at) {
    URL.lastIndex = at
    const match = URL.exec(view.text)
    if (!match) return undefined
    const rest = match[1]!
    const spans = secretsIn(rest).map(({ start, end }) => ({
      start: URL.lastIndex - rest.length + start,
      end: URL.lastIndex - rest.length + end,
    }))
    return spans.length > 0 ? { spans } : undefined
  },
  canary: (random) => {
    const secret = random(20)
    return { text: `postgres://app:${secret}@db.internal:5432/app?sslmode=require\n`, secrets: [secret] }
  },
}

/** A backslash is part of it unless it escapes what follows. */
const URL = /(?:(?<=[A-Za-z0-9]):\/\/|:\\\/\\\/)((?:[^\s"'`<>\\]|\\(?![\s"'`<>\\nrtu])){1,2048})/y

function secretsIn(rest: string): Span[] {
  const at = endOfUserinfo(rest)
  if (at <= 0) return []
  const colon = rest.indexOf(':')
  if (colon < 0 || colon > at) return isTokenLike(rest.slice(0, at)) ? [{ start: 0, end: at }] : []
  if (rest.startsWith('[') || /[/?#]/.test(rest.slice(0, colon))) return []
  const spans: Span[] = []
  if (isTokenLike(rest.slice(0, colon))) spans.push({ start: 0, end: colon })
  if (!PLACEHOLDER.test(rest.slice(colon + 1, at))) spans.push({ start: colon + 1, end: at })
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

/** As users and programs write what stands for a secret. */
const PLACEHOLDER = /^(?:\$\{?\w+\}?|\$\{[^}]*\}|\$\(.*|[*]+|[xX]{3,}|%s|%[0-9A-F]{2}s|\{.*\}|\[.*\]|-|…|redacted|)$/i

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

export const URL_RULES: readonly Rule[] = [credentials, escaped, ...WEBHOOK_RULES, ...QUERY_RULES]
