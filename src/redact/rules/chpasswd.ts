/** What chpasswd reads, `user:password` on each line: in cloud-init, in JSON, and in here-documents. */
import { listAt, listFrom, type List } from '../pairs/array.ts'
import { blockAt, type Block } from '../pairs/block.ts'
import { breakAt, frameAt } from '../pairs/frame.ts'
import { nameAt, quoteAt } from '../pairs/name.ts'
import type { Finding, Rule, View } from '../rule.ts'

const ID = 'chpasswd'

export const chpasswd: Rule = {
  id: ID,
  title: 'user:password lines of chpasswd, in cloud-init and in here-documents',
  anchors: ['chpasswd'],
  rank: 1,
  find: (view, at) => inLines(view, at) ?? inObject(view, at),
  resume: (view, { at, state }) =>
    (state as List).bare === undefined ? blockAt(view, at, state as Block) : listAt(view, at, state as List),
  canary: (random) => {
    const secrets = [random(10), random(10)]
    return {
      text: `chpasswd:\n  expire: false\n  list: |\n    root:${secrets[0]}\n    deploy:${secrets[1]}\nruncmd: []\n`,
      secrets,
    }
  },
}

/** In YAML what is indented below; of a here-document all up to the first line that is no login. */
function inLines(view: View, at: number): Finding | undefined {
  LINES.lastIndex = at
  const match = LINES.exec(view.text)
  const lineBreak = match && breakAt(view, LINES.lastIndex)
  const framed = lineBreak && frameAt(view, at, lineBreak)
  if (!framed) return undefined
  const { frame, column } = framed
  const lines = match[1] === undefined ? 'logins' : 'logins only'
  return blockAt(view, lineBreak.next, { kind: 'password', column, frame, lines, rule: ID })
}

const LINES =
  /chpasswd(?::[ \t]{0,64}|(?:[ \t]{1,64}-[a-zA-Z-]{1,20}){0,8}[ \t]{0,64}(<<)-?[ \t]{0,64}(?:\\{0,15}["'])?\w{1,64}(?:\\{0,15}["'])?[^\n\\]{0,200})/y

/** `{"chpasswd": {"list": "root:…\njo:…"}}`, or the logins as a list. */
function inObject(view: View, at: number): Finding | undefined {
  OBJECT.lastIndex = at
  const match = OBJECT.exec(view.text)
  const name = match && nameAt(view, at)
  if (!name) return undefined
  if (match[1] === '[') return listFrom(view, OBJECT.lastIndex, name, 'password', ID)
  const quote = quoteAt(view, OBJECT.lastIndex)
  if (quote?.mark !== '"') return undefined
  const from = OBJECT.lastIndex + quote.backslashes + 1
  const frame = { escaped: quote.backslashes + 1, head: '' }
  return blockAt(view, from, { kind: 'password', column: -1, frame, lines: 'logins', rule: ID })
}

const OBJECT =
  /chpasswd(?:\\{0,15}["'])?\s{0,4}:\s{0,4}\{[^{}[\]]{0,200}?list(?:\\{0,15}["'])?\s{0,4}:\s{0,4}(?:(\[)|(?=\\{0,15}"))/y
