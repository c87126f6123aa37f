/** Which part of a literal is looked for: a few bytes that many literals share and that a log rarely holds. */

/** Longer ones would allow wider jumps, but no literal shorter than they are. */
export const WINDOW_BYTES = 4

/**
 * Where the window begins in each literal. Literals that share a word get the same window, so that there are few to look for.
 * A literal of three bytes has any byte before it: its window begins at −1.
 */
export function windowsOf(literals: readonly string[]): number[] {
  const shared = new Map<string, number>()
  for (const literal of literals)
    for (const part of new Set(partsOf(literal))) shared.set(part, (shared.get(part) ?? 0) + 1)
  return literals.map((literal) => {
    if (literal.length < WINDOW_BYTES) return literal.length - WINDOW_BYTES
    const worth = partsOf(literal).map((part) => shared.get(part)! / commonness(part))
    return worth.indexOf(Math.max(...worth))
  })
}

function partsOf(literal: string): string[] {
  return Array.from({ length: Math.max(0, literal.length - WINDOW_BYTES + 1) }, (_, at) =>
    literal.slice(at, at + WINDOW_BYTES),
  )
}

/** Roughly how often a log holds it: full of hexadecimal digits, then of the letters of English. */
function commonness(part: string): number {
  return Array.from(part).reduce((product, letter) => product * (HEX.test(letter) ? 4 : COMMON.test(letter) ? 3 : 1), 1)
}

const HEX = /[0-9a-f]/
const COMMON = /[tionsrlm/:." -]/
