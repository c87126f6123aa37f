/** Credentials in headers: the scheme stays. */
import { endOfRun, matching, rememberLong } from '../find.ts'
import type { Finding, Pending, Rule, View } from '../rule.ts'

/** The name, quotes of JSON or of a shell, and what separates name and value. */
const HEADER = /authorization(\\*["'])?\s{0,4}(?:=>|[:=,])\s{0,4}\[?\s{0,4}(\\*["'])?/iy

/** Of several fields, or of one. */
const LONG_SCHEME =
  /(?:Digest|AWS4-HMAC-SHA256|AWS4-ECDSA-P256-SHA256|Hawk|OAuth|Signature|SharedKey(?:Lite)?|EG1-HMAC-SHA256)\s{1,4}/iy
const SCHEME =
  /(?:Bearer|Basic|Token|Api-?Key|Negotiate|NTLM|PRIVATE-TOKEN|Key|JWT|Splunk|GenieKey|SSWS|Bot|AWS)\s{1,4}/iy
const CREDENTIAL = /[^\s"'`<>\\,;\])}]+/y

const authorization: Rule = {
  id: 'authorization',
  title: 'Authorization header',
  anchors: ['authorization'],
  rank: 1,
  find(view, at) {
    const header = LONG.holding(view, at) ? null : matchAt(HEADER, view.text, at)
    if (!header) return undefined
    const from = at + header[0].length
    const long = matchAt(LONG_SCHEME, view.text, from)
    if (long) return fields(view, from + long[0].length, header[2])
    const start = from + (matchAt(SCHEME, view.text, from)?.[0].length ?? 0)
    const credential = matchAt(CREDENTIAL, view.text, start)?.[0]
    if (!credential) return undefined
    const end = start + credential.length
    LONG.add(view, [{ start, end }])
    // What makes it one is seen at its beginning.
    return isCredential(credential.slice(0, 1024), start > from) ? upTo(view, start, end, null) : undefined
  },
  resume,
  canary: (random) => {
    const secret = `${random(39)}7`
    return { text: `> Authorization: Bearer ${secret}\r\n`, secrets: [secret] }
  },
}

/** Several fields, with quotes: to the quote that opened the value, or to the end of the line. */
function fields(view: View, start: number, quote: string | undefined): Finding | undefined {
  // "Digest authentication failed"
  if (!view.text.slice(start, start + 1024).includes('=')) return undefined
  const finding = upToFields(view, start, { quote, inside: false })
  const [span] = finding.spans
  if (!view.text.slice(start, span!.end).includes('=')) return undefined
  LONG.add(view, finding.spans)
  return finding
}

const LONG = rememberLong()

interface Fields {
  /** Opened before all of them. */
  readonly quote: string | undefined
  /** What is known ended between the quotes of one. */
  readonly inside: boolean
}

function resume(view: View, { at, state }: Pending): Finding {
  return state === null ? upTo(view, at, endOfRun(view, at), null) : upToFields(view, at, state as Fields)
}

function upToFields(view: View, from: number, { quote, inside }: Fields): Finding {
  if (quote) return upTo(view, from, beforeQuote(view, from, quote), { quote, inside })
  const closed = inside ? endOf(CLOSING, view, from) : from
  // Not one byte more is known, and no quote closed it.
  if (inside && closed === view.end && view.text[closed - 1] !== '"') return upTo(view, from, closed, { quote, inside })
  const end = endOf(UNQUOTED, view, closed)
  const opened = endOf(OPENED, view, end)
  return upTo(view, from, opened === view.end && !view.final ? opened : end, { quote, inside: opened > end })
}

/** A quote that is escaped deeper belongs to the value. */
function beforeQuote({ text, end }: View, from: number, quote: string): number {
  const stop = new RegExp(`(?<!\\\\)${quote.replaceAll('\\', '\\\\')}|[\\r\\n]`, 'g')
  stop.lastIndex = from
  return stop.exec(text)?.index ?? end
}

function endOf(pattern: RegExp, { text }: View, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}

/** Quotes stand behind `=` only; another one closes what a shell was given. */
const UNQUOTED = /(?:[^"'<\r\n]|(?<==\\{0,3})"[^"\r\n]*")*/y
const OPENED = /(?<==\\{0,3})"[^"\r\n]*$/y
const CLOSING = /[^"\r\n]*"?/y

function upTo(view: View, start: number, end: number, state: Fields | null): Finding {
  const goesOn = end >= view.end && !view.final
  return {
    spans: [{ start, end }],
    ...(goesOn ? { pending: { rule: authorization.id, at: view.end, state } } : {}),
  }
}

/** After a scheme a word is a word (`Bearer token is invalid`); without one it takes more to be a credential. */
function isCredential(text: string, schemed: boolean): boolean {
  if (/^(?:\$|%[sv]|\{|\*+$|[xX]+$|\.+$)/.test(text)) return false
  const mixed = /\d/.test(text) || /[a-z][A-Z]|[A-Z][a-z]*[A-Z]|[=/+]/.test(text)
  return schemed
    ? text.length >= 20 || (text.length >= 5 && mixed)
    : text.length >= 16 && /\d/.test(text) && /[A-Za-z]/.test(text)
}

const bearer: Rule = {
  id: 'bearer-token',
  title: 'Bearer token',
  anchors: ['bearer ', 'bearer%20', 'bearer+', 'bearer\t'],
  rank: 1,
  ...matching(
    'bearer-token',
    /Bearer(?:[ \t]{1,4}|%20|\+)["']?(?<secret>(?=[A-Za-z._~+/-]{0,99}\d)(?=[0-9._~+/-]{0,99}[A-Za-z])[A-Za-z0-9._~+/-]{16,}={0,2})/i,
  ),
  canary: (random) => {
    const secret = `9${random(40)}x`
    return { text: `msg="upstream said 401" header="Bearer ${secret}"\n`, secrets: [secret] }
  },
}

const BASIC = /Basic(?:[ \t]{1,4}|%20)([A-Za-z0-9+/_-]{6,}={0,2})/iy

const basic: Rule = {
  id: 'basic-credentials',
  title: 'Basic credentials',
  anchors: ['basic ', 'basic%20', 'basic\t'],
  rank: 1,
  find(view, at) {
    const match = matchAt(BASIC, view.text, at)
    if (!match || !/^[ -~]*:[ -~]*$/.test(Buffer.from(match[1]!, 'base64').toString('latin1'))) return undefined
    const end = at + match[0].length
    return upTo(view, end - match[1]!.length, end, null)
  },
  canary: (random) => {
    const secret = Buffer.from(`app:${random(20)}`).toString('base64')
    return { text: `DEBUG sending Basic ${secret}\n`, secrets: [secret] }
  },
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export const AUTHORIZATION_RULES: readonly Rule[] = [authorization, bearer, basic]
