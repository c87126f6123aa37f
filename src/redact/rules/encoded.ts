/** What is in base64 and says so: parts of MIME, files that cloud-init writes, binary scalars of YAML. It may hold anything. */
import { endOfRun } from '../find.ts'
import type { Finding, Rule, View } from '../rule.ts'
import { breakAt, frameAt, PLAIN } from '../pairs/frame.ts'
import { byLine, type Step } from './lines.ts'

interface Where {
  /** Of a MIME part: headers, then a body up to an empty line. Of a block scalar: lines that are indented. */
  readonly part: 'headers' | 'body' | 'first' | 'block'
  /** White space before the first line, behind the head of a log. */
  readonly column: number
}

const OVER = { spans: [], next: undefined }

const step: Step<Where> = ({ text, start }, where) => {
  const { part, column } = where
  const [indent] = /^\s*/.exec(text)!
  const empty = indent.length === text.length
  // The journal drops empty lines: then the body begins right behind the headers.
  if (part === 'headers' && !LONG_LETTERS.test(text)) {
    if (empty) return { spans: [], next: { part: 'first', column } }
    const isHeader = /^\s*[A-Za-z0-9-]{1,80}:/.test(text) || indent.length > column
    return isHeader && !/^\s*content-transfer/i.test(text) ? { spans: [], next: where } : OVER
  }
  // More than one empty line may come before the body.
  if (empty) return part === 'first' ? { spans: [], next: where } : OVER
  LETTERS.lastIndex = indent.length
  const letters = LETTERS.exec(text)?.[1]
  if (letters === undefined || letters.startsWith('--')) return OVER
  if (part === 'block' && indent.length <= column) return OVER
  const begin = start + indent.length
  const next = part === 'block' ? where : { part: 'body', column }
  return { spans: [{ start: begin, end: begin + letters.length }], next } as ReturnType<Step<Where>>
}

const LETTERS = /([A-Za-z0-9+/_-]+={0,2})\s*$/y
const LONG_LETTERS = /^\s*[A-Za-z0-9+/]{40,}={0,2}\s*$/

const MIME = /Content-Transfer-Encoding:\s{0,4}base64[ \t]{0,64}/iy

const mimeLines = byLine('mime-part', step)

/** Goes on behind the line break at `end`, with lines like that of the anchor. */
function below(lines: typeof mimeLines, part: Where['part'], view: View, [at, end]: [number, number]): Finding {
  const lineBreak = breakAt(view, end)
  if (!lineBreak) return { spans: [] }
  const { frame, lead } = frameAt(view, at, lineBreak) ?? { frame: { ...PLAIN, escaped: lineBreak.escaped }, lead: '' }
  return lines.from(view, lineBreak.next, { part, column: /^\s*/.exec(lead)![0].length }, frame)
}

const mime: Rule = {
  id: 'mime-part',
  title: 'Part of a MIME message in base64',
  anchors: ['content-transfer-encoding'],
  rank: 1,
  find(view, at) {
    const match = matchAt(MIME, view.text, at)
    return match ? below(mimeLines, 'headers', view, [at, at + match[0].length]) : undefined
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
const VALUE = String.raw`(?:([|>][+-]?\d?[ \t]{0,64})(?=\r?\n|\\)|(?:\\{0,15}["'])?([A-Za-z0-9+/_-]{8,}={0,2}))`
const CONTENT = new RegExp(String.raw`content(?:\\{0,15}["'])?\s{0,4}:\s{0,4}(?:!!binary\s{1,4})?${VALUE}`, 'iy')
const BINARY = new RegExp(String.raw`!!binary\s{1,4}${VALUE}`, 'y')
const ENCODING =
  /encoding(?:\\{0,15}["'])?\s{0,16}:\s{0,16}(?:\\{0,15}["'])?(?:b64|base64|gz|gzip|gz\+b64|gz\+base64|gzip\+b64|gzip\+base64)\b/i

const encoded: Rule = {
  id: 'encoded',
  title: 'File of cloud-init or YAML binary, in base64',
  anchors: ['content:', 'content"', "content'", 'content\\', '!!binary'],
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
  return block === undefined ? run(view, end - inline!.length, end) : below(blockLines, 'block', view, [at, end])
}

function run(view: View, start: number, from: number): Finding {
  const end = from === start ? endOfRun(view, start) : from
  const goesOn = end >= view.end && !view.final
  return { spans: [{ start, end }], ...(goesOn ? { pending: { rule: encoded.id, at: view.end, state: null } } : {}) }
}

/** The encoding stands in the same item, before or after the content. */
function saysSo(text: string, at: number, end: number): boolean {
  const before = text.slice(Math.max(0, at - 1024), at)
  const item = [...before.matchAll(ITEM)].at(-1)?.index ?? 0
  if (ENCODING.test(before.slice(item))) return true
  BODY.lastIndex = end
  BODY.test(text)
  const after = text.slice(BODY.lastIndex, BODY.lastIndex + 1024)
  const next = after.search(NEXT_ITEM)
  return ENCODING.test(next < 0 ? after : after.slice(0, next))
}

/** A line break may be written out. */
const ITEM = /(?:\n|\\n)(?: {2})?- |\{/g
const NEXT_ITEM = /(?:\n|\\n)\s*- |\}/
const BODY = /[A-Za-z0-9+/=\s_-]*(?=["'\n\\]|$)/y

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export const ENCODED_RULES: readonly Rule[] = [mime, encoded]
