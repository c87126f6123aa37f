/** A row of the table: a token whose letters alone tell what it is. */
import { matching } from '../find.ts'
import type { Canary, Random, Rule } from '../rule.ts'

/** What a new line, a colour or a percent-encoded character ends with is no part of a word. */
const ESCAPED = String.raw`(?<=\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,12}m)`

/** No letter or digit before. */
export const WORD = `(?:(?<![A-Za-z0-9])|${ESCAPED})`

/** Neither `-` nor `_` before: for tokens that may hold them, and for prefixes that end many a name. */
export const START = `(?:(?<![A-Za-z0-9_-])|${ESCAPED})`

/** Not all of one case: words and file names are, random letters are not. */
export const MIXED = '(?=[a-z_-]{0,99}[A-Z0-9])(?=[A-Z0-9_-]{0,99}[a-z])'

/** Characters of a token, as most vendors have them. */
export const URL_SAFE = '[A-Za-z0-9_-]'

export interface Row {
  readonly id: string
  readonly title: string
  readonly anchors: readonly string[]
  readonly pattern: string
  readonly rank?: Rule['rank']
  /** A fresh secret; the canary is a line of a log with it. */
  readonly secret: (random: Random) => string
  /** What stands before and behind a secret of this kind. */
  readonly around?: readonly [string, string]
}

/** A rule for tokens of this form. */
export function token({ id, title, anchors, pattern, rank = 2, secret, around = ['', ''] }: Row): Rule {
  const canary = (random: Random): Canary => {
    const planted = secret(random)
    return { text: `level=info msg="using ${around.join(planted)} of the environment"\n`, secrets: [planted] }
  }
  return { id, title, anchors, rank, canary, ...matching(id, new RegExp(pattern)) }
}
