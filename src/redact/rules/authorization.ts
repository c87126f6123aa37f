/** Credentials in headers: the scheme stays. */
import { endOfRun, matching } from '../find.ts'
import type { Finding, Rule, View } from '../rule.ts'

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
    const header = matchAt(HEADER, view.text, at)
    if (!header) return undefined
    const from = at + header[0].length
    const long = matchAt(LONG_SCHEME, view.text, from)
    if (long) return fields(view, from + long[0].length, header[2])
    const start = from + (matchAt(SCHEME, view.text, from)?.[0].length ?? 0)
    const credential = matchAt(CREDENTIAL, view.text, start)?.[0]
    if (!credential || !isCredential(credential, start > from)) return undefined
    return upTo(view, start, start + credential.length)
  },
  resume: (view, { at }) => upTo(view, at, endOfRun(view, at)),
  canary: (random) => {
    const secret = `${random(39)}7`
    return { text: `> Authorization: Bearer ${secret}\r\n`, secrets: [secret] }
  },
}

/** Several fields, with quotes: to the quote that opened the value, or to the end of the line. */
function fields(view: View, start: number, quote: string | undefined): Finding | undefined {
  const line = view.text.slice(start, start + 8192)
  const end = start + (quote ? indexOf(line, quote) : UNQUOTED.exec(line)![0].length)
  // "Digest authentication failed"
  if (!view.text.slice(start, end).includes('=')) return undefined
  return upTo(view, start, end)
}

/** Quotes stand behind `=` only; another one closes what a shell was given. */
const UNQUOTED = /^(?:[^"'<\r\n]|(?<==\\{0,3})"[^"\r\n]*")*/

/** A quote that is escaped deeper belongs to the value. */
function indexOf(line: string, quote: string): number {
  const found = new RegExp(`(?<!\\\\)${quote.replaceAll('\\', '\\\\')}`).exec(line)
  const end = /[\r\n]/.exec(line)
  return Math.min(found?.index ?? line.length, end?.index ?? line.length)
}

function upTo(view: View, start: number, end: number): Finding {
  const goesOn = end >= view.end && !view.final
  return {
    spans: [{ start, end }],
    ...(goesOn ? { pending: { rule: authorization.id, at: view.end, state: null } } : {}),
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
    return upTo(view, end - match[1]!.length, end)
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
