/**
 * Looks for many literals at once (Wu and Manber, 1994): a table over pairs of bytes says how far to jump, so that most of
 * a log is never looked at. A regular expression of the same literals takes three times as long (bench/redact.ts).
 */

/** Shorter ones would make the jumps so short that there is nothing in it. */
export const SHORTEST_ANCHOR = 4

/** Calls `hit` for each literal found wholly inside `[from, end)` that begins before `to`, with its index and its offset. */
export type Scan = (
  bytes: Uint8Array,
  from: number,
  to: number,
  end: number,
  hit: (literal: number, at: number) => void,
) => void

/** @param literals latin1, ASCII letters in lower case, at least SHORTEST_ANCHOR long; found without regard to case. */
export function createScan(literals: readonly string[]): Scan {
  for (const literal of literals) check(literal)
  const codes = literals.map((literal) => Uint8Array.from(literal, (letter) => letter.charCodeAt(0)))
  const { jumps, heads, buckets } = tables(codes)
  return (bytes, from, to, end, hit) => {
    const last = Math.min(end, to + SHORTEST_ANCHOR - 1)
    for (let at = from + SHORTEST_ANCHOR - 1; at < last;) {
      const jump = jumps[(bytes[at - 1]! << 8) | bytes[at]!]!
      if (jump > 0) {
        at += jump
        continue
      }
      const start = at - SHORTEST_ANCHOR + 1
      const bucket = heads[hash(bytes, start)]!
      if (bucket > 0) {
        for (const literal of buckets[bucket]!) {
          const code = codes[literal]!
          if (start + code.length <= end && matches(bytes, start, code)) hit(literal, start)
        }
      }
      at++
    }
  }
}

/** Of the first four bytes, without regard to case. */
function hash(bytes: Uint8Array, at: number): number {
  const word =
    FOLDED[bytes[at]!]! |
    (FOLDED[bytes[at + 1]!]! << 8) |
    (FOLDED[bytes[at + 2]!]! << 16) |
    (FOLDED[bytes[at + 3]!]! << 24)
  return Math.imul(word, 0x9e_37_79_b1) >>> 16
}

function check(literal: string): void {
  if (literal.length < SHORTEST_ANCHOR || /[A-Z\u0100-\uffff]/.test(literal)) {
    throw new Error(`an anchor has at least ${SHORTEST_ANCHOR} characters of one byte, letters in lower case`)
  }
}

/** By the last pair of bytes of the window, how far the next window can be; by all four, which literals may begin with it. */
function tables(codes: readonly Uint8Array[]): { jumps: Uint8Array; heads: Uint16Array; buckets: number[][] } {
  const jumps = new Uint8Array(65_536).fill(SHORTEST_ANCHOR - 1)
  const heads = new Uint16Array(65_536)
  const buckets: number[][] = [[]]
  for (const [index, code] of codes.entries()) {
    for (let offset = 1; offset < SHORTEST_ANCHOR; offset++) {
      for (const pair of pairs(code[offset - 1]!, code[offset]!)) {
        jumps[pair] = Math.min(jumps[pair]!, SHORTEST_ANCHOR - 1 - offset)
      }
    }
    const head = hash(code, 0)
    if (heads[head] === 0) heads[head] = buckets.push([]) - 1
    buckets[heads[head]!]!.push(index)
  }
  return { jumps, heads, buckets }
}

function pairs(first: number, second: number): number[] {
  const cases = (code: number) => (code >= 97 && code <= 122 ? [code, code - 32] : [code])
  return cases(first).flatMap((high) => cases(second).map((low) => (high << 8) | low))
}

function matches(bytes: Uint8Array, start: number, code: Uint8Array): boolean {
  for (let index = 0; index < code.length; index++) {
    if (FOLDED[bytes[start + index]!] !== code[index]) return false
  }
  return true
}

const FOLDED = Uint8Array.from({ length: 256 }, (_, code) => (code >= 65 && code <= 90 ? code + 32 : code))
