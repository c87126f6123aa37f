/** Data source names of Go: `user:password@tcp(host:3306)/db`. Nothing stands before the password that it could be found by. */
import type { Rule } from '../rule.ts'
import { isPlaceholder } from './quoted-password.ts'

/** Longer ones are not looked for. */
const LONGEST = 512

export const DSN_RULES: readonly Rule[] = [
  {
    id: 'dsn-password',
    title: 'Password in a data source name of Go',
    anchors: ['@tcp(', '@tcp4(', '@tcp6(', '@unix('],
    // Within a URL it is known as what it is there.
    rank: 0,
    behindBytes: LONGEST,
    find({ text }, at) {
      const secret = LOGIN.exec(wordBefore(text, at))?.groups?.secret
      if (secret === undefined || isPlaceholder(secret) || /<masked:[a-z-]+:[0-9a-f]{6}>$/.test(secret))
        return undefined
      return { spans: [{ start: at - secret.length, end: at }] }
    },
    canary: (random) => {
      const secret = random(20)
      return {
        text: `DATA_SOURCE_NAME=app:${secret}@tcp(192.0.2.1:3306)/app?parseTime=true\n`,
        secrets: [secret],
      }
    },
  },
]

/** From white space or a quotation mark on; in a list of such, from the comma before it. */
function wordBefore(text: string, at: number): string {
  let from = at
  while (from > 0 && at - from < LONGEST && isWordCode(text.charCodeAt(from - 1))) from--
  const word = text.slice(from, at)
  return word.includes('@tcp(') ? word.slice(word.lastIndexOf(',') + 1) : word
}

/** Neither white space nor `"`, `'` and the backtick. */
function isWordCode(code: number): boolean {
  return code > 32 && code !== 34 && code !== 39 && code !== 96
}

/** From its first colon on: behind `=`, a bracket, or `://`. */
const LOGIN = /^(?:[^:]{0,256}[=([{,]|\w{1,20}:\/\/)?[\w.%+~-]{1,80}:(?<secret>.{1,400})$/s
