/** Whether a pattern may take for ever on the wrong text: judged by its form, so some that would not are refused too. */
import isSafe from 'safe-regex2'

export function couldHang(pattern: string): boolean {
  const plain = plainOf(pattern)
  return !isSafe(plain, { limit: 25 }) || hasTwins(plain) || hasUndecided(plain)
}

const ATOM = String.raw`(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\\()[\]|*+?{}])`
const UNBOUNDED = String.raw`(?:[*+]|\{\d+,\})\??`

/**
 * What safe-regex2 does not read is written otherwise: it refuses every lookbehind, and takes `\d{4}`, of which there is only
 * one way to match, for a repetition. Groups that group nothing are opened.
 */
function plainOf(pattern: string): string {
  let plain = pattern.replaceAll(/\\[()|]/g, String.raw`\/`).replaceAll(/\(\?(?:<[A-Za-z_]\w*>|:)/g, '(')
  plain = plain.replaceAll(/\(\?<([=!])/g, '(?$1').replaceAll(new RegExp(String.raw`(${ATOM})\{\d+\}`, 'g'), '$1')
  for (let before = ''; before !== plain;) {
    before = plain
    plain = plain.replaceAll(/\(((?!\?)[^()|]*)\)(?![*+?{])/g, '$1')
  }
  return plain
}

/** `.*.*`, `\w+\d+`, `.*a.*`: where one repetition ends and the next begins is open. */
function hasTwins(plain: string): boolean {
  const repeated = new RegExp(`(${ATOM})${UNBOUNDED}(?=(${ATOM})?(${ATOM})${UNBOUNDED})`, 'g')
  for (const [, first, between, second] of plain.matchAll(repeated)) {
    if (overlap(first!, second!) && (between === undefined || overlap(first!, between))) return true
  }
  return false
}

/** `(a|ab)*`: alternatives in a repetition that begin with the same character. */
function hasUndecided(plain: string): boolean {
  for (const [, inside] of plain.matchAll(/\(((?!\?)[^()]*\|[^()]*)\)(?:[*+]|\{\d+,?\d*\})/g)) {
    const firsts = inside!.split('|').map((branch) => new RegExp(`^${ATOM}`).exec(branch)?.[0] ?? '.')
    if (firsts.some((one, index) => firsts.slice(index + 1).some((other) => overlap(one, other)))) return true
  }
  return false
}

function overlap(one: string, other: string): boolean {
  const [first, second] = [one, other].map((atom) => new RegExp(`^${atom}$`, 's'))
  return LATIN1.some((letter) => first!.test(letter) && second!.test(letter))
}

const LATIN1 = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
