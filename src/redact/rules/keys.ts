/** Private keys: PEM in lines, on one line, in base64; PuTTY's. Certificates and public keys are none. */
import { PLAIN } from '../pairs/frame.ts'
import type { Finding, Random, Rule, View } from '../rule.ts'
import { AROUND, bodyStep, shapeOf, type Body } from './body.ts'
import { byLine } from './lines.ts'
import { START } from './token.ts'

const lines = byLine('private-key', bodyStep)
const wrapped = byLine('private-key-base64', bodyStep)

const BEGIN = /-----BEGIN(?:[ +]|%20)[A-Z0-9 +%]{0,40}PRIVATE(?:[ +]|%20)KEY(?:(?:[ +]|%20)BLOCK)?-----/y

/** On one line: new lines are written as `\n`, `%0A` or spaces. */
const ONE_LINE =
  /(?:(?:\\{1,8}[nr]|%0[AaDd]| |\+)+(?:[A-Z][A-Za-z-]{3,20}: [^\n"']{0,200}?(?:\\[nr]| ))*)?=?[A-Za-z0-9/][A-Za-z0-9+/]{15}/y

/** The same with short lines. */
const NARROW =
  /(?:\\{1,8}[nr]|%0[AaDd])+(?![A-Z]?[a-z]+[\\%])[A-Za-z0-9+/]{8,39}={0,2}(?:\\{1,8}[nr]|%0[AaDd])+(?:[A-Za-z0-9+/=]|-----END)/y

const PUTTY = /Private-Lines: \d{1,4}\r?\n/y

const privateKey: Rule = {
  id: 'private-key',
  title: 'Private key (PEM, OpenSSH, PGP, PuTTY)',
  anchors: ['-----begin', 'private-lines:'],
  rank: 2,
  find(view, at) {
    if (at >= 0 && matchAt(PUTTY, view, at)) return lines.from(view, PUTTY.lastIndex, FIRST)
    if (!matchAt(BEGIN, view, at)) return undefined
    const from = BEGIN.lastIndex
    if (matchAt(ONE_LINE, view, from) || matchAt(NARROW, view, from)) return toMarker(view, from)
    const end = view.text.indexOf('\n', from)
    // A line of JSON around the marker is short; the body comes with the lines that follow.
    return end < 0
      ? undefined
      : lines.from(view, end + 1, { ...FIRST, shape: shapeAround(view, at, [from, end]), first: true })
  },
  resume(view, pending) {
    return pending.state === ON_ONE_LINE ? toMarker(view, pending.at) : lines.resume(view, pending)
  },
  canary: (random) => {
    const body = keyLines(random)
    return {
      // The empty line keeps it from being known by its end (torn.ts).
      text: ['-----BEGIN RSA PRIVATE KEY-----', ...body, '', '-----END RSA PRIVATE KEY-----', ''].join('\n'),
      secrets: body,
    }
  },
}

const FIRST: Body = { misses: 0, limit: 8, shape: null }

/** Of the marker on its line: the lines of the body look alike. */
function shapeAround({ text }: View, at: number, [behind, end]: readonly [number, number]): string | null {
  const before = text.slice(Math.max(0, at - AROUND - 1), at)
  const line = before.lastIndexOf('\n') + 1
  if ((line === 0 && at > AROUND) || end - behind > AROUND) return null
  return shapeOf(before.slice(line), text.slice(behind, end))
}

const ON_ONE_LINE = 'on one line'

/** To the marker of the end, the closing quote, or the end of the line. */
function toMarker(view: View, from: number): Finding {
  if (!matchAt(TAIL, view, from)) return { spans: [] }
  const end = TAIL.lastIndex
  const goesOn = end === view.end && !view.final
  const close = '"\''.includes(view.text[end] ?? ' ') ? beforeEscapes(view.text, from, end) : end
  const pending = { rule: privateKey.id, at: view.end, state: ON_ONE_LINE }
  return { spans: [{ start: from, end: close }], ...(goesOn ? { pending } : {}) }
}

const TAIL = /(?:[^\n"'<-]|-(?!----))*/y

/** The escapes of a quote belong to the quote. */
function beforeEscapes(text: string, from: number, quote: number): number {
  let end = quote
  while (end > from && text[end - 1] === '\\') end--
  return end
}

/** `-----BEGIN` in base64. Of PEM only the head says whether it is a certificate. */
const BASE64_PEM = new RegExp(`${START}(?<![+/])LS0tLS1CRUdJTi[A-Za-z0-9+/_-]{20,}={0,2}`, 'y')

const base64Key: Rule = {
  id: 'private-key-base64',
  title: 'Private key, the whole of it in base64',
  anchors: ['ls0tls1crudjti'],
  rank: 2,
  find(view, at) {
    if (!matchAt(BASE64_PEM, view, at)) return undefined
    const end = BASE64_PEM.lastIndex
    const head = Buffer.from(view.text.slice(at, at + 120), 'base64').toString('latin1')
    if (!/PRIVATE KEY/.test(head)) return undefined
    const span = { start: at, end }
    if (end === view.end && !view.final) {
      return {
        spans: [span],
        pending: { rule: base64Key.id, at: end, state: { own: undefined, running: true, frame: PLAIN } },
      }
    }
    const width = end - at
    if (width < 60 || width > 80 || !'\r\n'.includes(view.text[end] ?? ' ')) return { spans: [span] }
    const rest = wrapped.from(view, view.text.indexOf('\n', end) + 1, { ...FIRST, limit: 1 })
    return { ...rest, spans: [span, ...rest.spans] }
  },
  resume: wrapped.resume,
  canary: (random) => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${keyLines(random).join('\n')}\n-----END PRIVATE KEY-----\n`
    const secret = Buffer.from(pem).toString('base64')
    return { text: `    client-key-data: ${secret}\n`, secrets: [secret] }
  },
}

function keyLines(random: Random): string[] {
  return [`MIIE${random(60)}`, ...Array.from({ length: 6 }, () => random(64, 'base64').slice(0, 64)), `${random(42)}==`]
}

function matchAt(pattern: RegExp, view: View, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(view.text)
}

export const KEY_RULES: readonly Rule[] = [privateKey, base64Key]
