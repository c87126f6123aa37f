/** What is in base64 and says so: parts of MIME, files that cloud-init writes, binary scalars of YAML. It may hold anything. */
import { endOfRun } from '../find.ts'
import type { Finding, Rule, View } from '../rule.ts'
import { byLine, type Step } from './lines.ts'

/** Of a MIME part: headers, then a body up to an empty line. Of a block scalar: lines that are indented. */
type Where = 'headers' | 'body' | 'first' | 'block'

const step: Step<Where> = ({ text, start }, where) => {
  const match = /^(\s*)([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(text)
  if (where === 'headers') {
    if (/^\s*$/.test(text)) return { spans: [], next: 'first' }
    return { spans: [], next: /^\s*(?!content-transfer)[A-Za-z0-9-]+:|^\s+\S/i.test(text) ? 'headers' : undefined }
  }
  // More than one empty line may come before the body.
  if (!match) return { spans: [], next: where === 'first' && /^\s*$/.test(text) ? 'first' : undefined }
  if (match[2]!.startsWith('--') || (where === 'block' && match[1] === '')) return { spans: [], next: undefined }
  const begin = start + match[1]!.length
  return { spans: [{ start: begin, end: begin + match[2]!.length }], next: where === 'block' ? 'block' : 'body' }
}

const MIME =
  /Content-Transfer-Encoding:\s{0,4}base64[ \t]*(?:\r?\n|((?:(?:\\r)?\\n[A-Za-z0-9-]{1,60}: [^\\"\r\n]{0,400}){0,10}(?:(?:\\r)?\\n){2})((?:[A-Za-z0-9+/=]|\\[nr]){16,}))/iy

const mimeLines = byLine('mime-part', step)

const mime: Rule = {
  id: 'mime-part',
  title: 'Part of a MIME message in base64',
  anchors: ['content-transfer-encoding'],
  rank: 1,
  find(view, at) {
    const match = matchAt(MIME, view.text, at)
    if (!match) return undefined
    const end = at + match[0].length
    if (match[2]) return { spans: [{ start: end - match[2].length, end }] }
    return mimeLines.from(view, end, 'headers')
  },
  resume: mimeLines.resume,
  canary: (random) => {
    const secrets = [random(76, 'base64').slice(0, 76), random(44, 'base64').slice(0, 44)]
    const text = `Content-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\n${secrets.join('\n')}\n--==1--\n`
    return { text, secrets }
  },
}

const blockLines = byLine('encoded', step)

/** The value: a block scalar, or letters of base64, in quotes or not. */
const CONTENT =
  /["']?content["']?\s{0,4}:\s{0,4}(?:!!binary\s{1,4})?(?:([|>][+-]?\d?[ \t]*\r?\n)|["']?([A-Za-z0-9+/_-]{8,}={0,2}))/iy
const BINARY = /!!binary\s{1,4}(?:([|>][+-]?\d?[ \t]*\r?\n)|["']?([A-Za-z0-9+/_-]{8,}={0,2}))/y
const ENCODING = /["']?encoding["']?\s*:\s*["']?(?:b64|base64|gz|gzip|gz\+b64|gz\+base64|gzip\+b64|gzip\+base64)\b/i

const encoded: Rule = {
  id: 'encoded',
  title: 'File of cloud-init or YAML binary, in base64',
  anchors: ['content:', 'content"', "content'", '!!binary'],
  rank: 1,
  find(view, at) {
    const binary = matchAt(BINARY, view.text, at)
    if (binary) return value(view, at, binary)
    const content = matchAt(CONTENT, view.text, at)
    return content && saysSo(view.text, at, at + content[0].length) ? value(view, at, content) : undefined
  },
  resume: (view, pending) =>
    pending.state === null ? run(view, pending.at, pending.at) : blockLines.resume(view, pending),
  canary: (random) => {
    const secret = random(64, 'base64').slice(0, 64)
    return { text: `write_files:\n- encoding: b64\n  content: ${secret}\n  path: /etc/app.key\n`, secrets: [secret] }
  },
}

function value(view: View, at: number, [whole, block, inline]: RegExpExecArray): Finding {
  const end = at + whole.length
  return block === undefined ? run(view, end - inline!.length, end) : blockLines.from(view, end, 'block')
}

function run(view: View, start: number, from: number): Finding {
  const end = from === start ? endOfRun(view, start) : from
  const goesOn = end >= view.end && !view.final
  return { spans: [{ start, end }], ...(goesOn ? { pending: { rule: encoded.id, at: view.end, state: null } } : {}) }
}

/** The encoding stands in the same item, before or after the content. */
function saysSo(text: string, at: number, end: number): boolean {
  const before = text.slice(Math.max(0, at - 1024), at)
  const item = Math.max(before.lastIndexOf('\n- '), before.lastIndexOf('\n  - '), before.lastIndexOf('{'), 0)
  if (ENCODING.test(before.slice(item))) return true
  BODY.lastIndex = end
  BODY.test(text)
  const after = text.slice(BODY.lastIndex, BODY.lastIndex + 1024)
  const next = after.search(/\n\s*- |\}/)
  return ENCODING.test(next < 0 ? after : after.slice(0, next))
}

const BODY = /[A-Za-z0-9+/=\s_-]*(?=["'\n]|$)/y

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export const ENCODED_RULES: readonly Rule[] = [mime, encoded]
