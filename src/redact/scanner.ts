/**
 * Looks for many literals at once (after Wu and Manber, 1994): a table over pairs of bytes says how far to jump, so that most
 * of a log is never looked at. A regular expression of the same literals takes many times as long (bench/redact.ts).
 */
import { WINDOW_BYTES, windowsOf } from './windows.ts'

/** Shorter ones would make the jumps so short that there is nothing in it. */
export const SHORTEST_ANCHOR = 3

/** Calls `hit`, window by window, for each literal found wholly inside `[from, end)` that begins before `to`: its index, its offset. */
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
  const offsets = windowsOf(literals)
  const tables = tablesOf(codes, offsets)
  const reach = WINDOW_BYTES + Math.max(0, ...offsets)
  return (bytes, from, to, end, hit) => {
    const range = { from: from + SHORTEST_ANCHOR - 1, to: Math.min(end, to + reach - 1) }
    visit(bytes, tables, range, (bucket, window) => {
      for (const literal of tables.buckets[bucket]!) {
        const start = window - offsets[literal]!
        const code = codes[literal]!
        if (start >= from && start < to && start + code.length <= end && matches(bytes, start, code))
          hit(literal, start)
      }
    })
  }
}

/**
 * Calls `found` for each window, by its first byte, that belongs to a bucket. Two halves at a time: where the next step of one leads is known
 * only when its table was read, and meanwhile the other one goes on. What the second half holds is told after the first.
 */
function visit(
  bytes: Uint8Array,
  tables: Tables,
  { from, to }: { from: number; to: number },
  found: (bucket: number, window: number) => void,
): void {
  const { jumps } = tables
  const middle = (from + to) >>> 1
  const behind: number[] = []
  const later = (bucket: number, window: number) => void behind.push(bucket, window)
  let [low, high] = [from, middle]
  while (low < middle && high < to) {
    const lowJump = jumps[(bytes[low - 1]! << 8) | bytes[low]!]!
    const highJump = jumps[(bytes[high - 1]! << 8) | bytes[high]!]!
    if (lowJump > 0) low += lowJump
    else look(bytes, tables, low++, found)
    if (highJump > 0) high += highJump
    else look(bytes, tables, high++, later)
  }
  rest(bytes, tables, { from: low, to: middle }, found)
  for (let index = 0; index < behind.length; index += 2) found(behind[index]!, behind[index + 1]!)
  rest(bytes, tables, { from: high, to }, found)
}

function rest(
  bytes: Uint8Array,
  tables: Tables,
  { from, to }: { from: number; to: number },
  found: (bucket: number, window: number) => void,
): void {
  for (let at = from; at < to;) {
    const jump = tables.jumps[(bytes[at - 1]! << 8) | bytes[at]!]!
    if (jump > 0) at += jump
    else look(bytes, tables, at++, found)
  }
}

function look(
  bytes: Uint8Array,
  { heads, tails }: Tables,
  at: number,
  found: (bucket: number, window: number) => void,
): void {
  const window = at - WINDOW_BYTES + 1
  const word = wordAt(bytes, window)
  const head = heads[hash(word)]!
  if (head > 0) found(head, window)
  const tail = tails[hash(word >>> 8)]!
  if (tail > 0) found(tail, window)
}

function check(literal: string): void {
  if (literal.length < SHORTEST_ANCHOR || /[A-Z\u0100-\uffff]/.test(literal)) {
    throw new Error(`an anchor has at least ${SHORTEST_ANCHOR} characters of one byte, letters in lower case`)
  }
}

interface Tables {
  /** By the last pair of bytes of a window, how far the next one can be. */
  readonly jumps: Uint8Array
  /** By the hash of a window, or of the last three bytes of one: the bucket of literals it may belong to. */
  readonly heads: Uint16Array
  readonly tails: Uint16Array
  readonly buckets: readonly number[][]
}

function tablesOf(codes: readonly Uint8Array[], offsets: readonly number[]): Tables {
  const jumps = new Uint8Array(65_536).fill(WINDOW_BYTES - 1)
  const [heads, tails] = [new Uint16Array(1 << HASH_BITS), new Uint16Array(1 << HASH_BITS)]
  const buckets: number[][] = [[]]
  for (const [index, code] of codes.entries()) {
    const offset = offsets[index]!
    for (let at = 1; at < WINDOW_BYTES; at++) {
      for (const pair of pairs(code[offset + at - 1], code[offset + at]!)) {
        jumps[pair] = Math.min(jumps[pair]!, WINDOW_BYTES - 1 - at)
      }
    }
    const word = wordAt(code, offset)
    const [table, key] = offset < 0 ? [tails, hash(word >>> 8)] : [heads, hash(word)]
    if (table[key] === 0) table[key] = buckets.push([]) - 1
    buckets[table[key]!]!.push(index)
  }
  return { jumps, heads, tails, buckets }
}

/** As pairs of bytes in both cases; any byte first where there is none. */
function pairs(first: number | undefined, second: number): number[] {
  const firsts = first === undefined ? Array.from({ length: 256 }, (_, code) => code) : cases(first)
  return firsts.flatMap((high) => cases(second).map((low) => (high << 8) | low))
}

function cases(code: number): number[] {
  return code >= 97 && code <= 122 ? [code, code - 32] : [code]
}

/** Four bytes without regard to case; 0 where there is none. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (at < 0 ? 0 : FOLDED[bytes[at]!]!) |
    (FOLDED[bytes[at + 1]!]! << 8) |
    (FOLDED[bytes[at + 2]!]! << 16) |
    (FOLDED[bytes[at + 3]!]! << 24)
  )
}

/** The tables stay small enough for the cache of a core. */
const HASH_BITS = 14

function hash(word: number): number {
  return Math.imul(word, 0x9e_37_79_b1) >>> (32 - HASH_BITS)
}

function matches(bytes: Uint8Array, start: number, code: Uint8Array): boolean {
  for (let index = 0; index < code.length; index++) {
    if (FOLDED[bytes[start + index]!] !== code[index]) return false
  }
  return true
}

const FOLDED = Uint8Array.from({ length: 256 }, (_, code) => (code >= 65 && code <= 90 ? code + 32 : code))
