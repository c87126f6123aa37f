/** Values that are known to be secret, masked wherever they appear: as they are, and as JSON, URLs and base64 write them. */
import type { Rule } from './rule.ts'

const ID = 'live-value'

/** More than a machine has; memory for them is held in both threads, and each costs a little of every byte looked at. */
const MOST_VALUES = 10_000
const MOST_LETTERS = 4 << 20
const LONGEST = 4096
/** Found by their first letters: values that begin alike are told apart in one place, not by each of them in turn. */
const ANCHOR_LETTERS = 8

/** As many as are looked for, the first of them; `left` says how many are not. */
export function withinBounds(values: Iterable<string>): { values: string[]; left: number } {
  const telling = [...new Set(values)].filter(isTelling)
  let letters = 0
  const end = telling.findIndex((value, index) => index === MOST_VALUES || (letters += value.length) > MOST_LETTERS)
  return end < 0 ? { values: telling, left: 0 } : { values: telling.slice(0, end), left: telling.length - end }
}

/**
 * None or one rule. `anywhere`: also in the midst of a word, where texts stand side by side without anything between.
 * @throws RangeError when there are more values than are looked for: what is left out would get out.
 */
export function liveRule(values: readonly string[], anywhere = false): Rule[] {
  const { values: known, left } = withinBounds(values)
  if (left > 0) throw new RangeError(`${left} values more than the ${known.length} that are looked for`)
  const notations = [...new Set(known.flatMap(notationsOf))].toSorted()
  if (notations.length === 0) return []
  const longest = createLookup(notations, anywhere ? () => true : bounded)
  return [
    {
      id: ID,
      title:
        'values that diagd knows to be secret: of containers under secret names, of files named in the configuration',
      anchors: [...new Set(notations.map((notation) => fold(notation.slice(0, ANCHOR_LETTERS))))],
      rank: 1,
      find({ text }, at) {
        const length = longest(text, at)
        return length > 0 ? { spans: [{ start: at, end: at + length }] } : undefined
      },
      canary: () => ({ text: known[0] ?? '', secrets: known.slice(0, 1) }),
    },
  ]
}

/** The length of the longest of the sorted words that stands at a place of a text; 0 for none. */
function createLookup(
  sorted: readonly string[],
  stands: (text: string, at: number, word: string) => boolean,
): (text: string, at: number) => number {
  const most = Math.max(...sorted.map((word) => word.length))
  const parents = parentsOf(sorted)
  return (text, at) => {
    const here = text.slice(at, at + most)
    // Words that `here` begins with are the last one not behind it in the order, or such as that one begins with.
    for (let index = lastUpTo(sorted, here); index >= 0; index = parents[index]!) {
      const word = sorted[index]!
      if (here.startsWith(word) && stands(text, at, word)) return word.length
    }
    return 0
  }
}

/** For each word the longest other one that it begins with; −1 for none. */
function parentsOf(sorted: readonly string[]): Int32Array {
  const open: number[] = []
  return Int32Array.from(sorted, (word, index) => {
    while (open.length > 0 && !word.startsWith(sorted[open.at(-1)!]!)) open.pop()
    const parent = open.at(-1) ?? -1
    open.push(index)
    return parent
  })
}

function lastUpTo(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= text) low = middle + 1
    else high = middle
  }
  return low - 1
}

/**
 * A value that could be a word of every log would hide the evidence: `postgres` is the password of many a database. At least
 * eight characters, not letters of one case alone unless it is long, not digits alone.
 */
export function isTelling(value: string): boolean {
  if (value.length < 8 || value.length > LONGEST || /[\r\n\0]/.test(value)) return false
  if (/^\d+$/.test(value)) return value.length >= 12
  if (/^(?:[a-z]+|[A-Z]+|[A-Z]?[a-z]+)$/.test(value)) return value.length >= 16
  return !/^(?:\/[\w.-]+)+\/?$/.test(value) && !/^(?:[a-z]+[-_.]?)+$/.test(value)
}

/** latin1 of the bytes in which the value is written. */
function notationsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1)
  const encoded = Buffer.from(value).toString('base64').replace(/=+$/, '')
  const all = [value, json, JSON.stringify(json).slice(1, -1), safely(() => encodeURIComponent(value)), encoded]
  return [...new Set(all)].map((text) => Buffer.from(text).toString('latin1')).filter((text) => text.length >= 8)
}

function safely(encode: () => string): string {
  try {
    return encode()
  } catch {
    return ''
  }
}

/** No letter or digit goes on at its ends: `abcd1234` is not part of `abcd12345`. */
function bounded(text: string, at: number, value: string): boolean {
  const word = /[A-Za-z0-9]/
  const before = text[at - 1] ?? ''
  const after = text[at + value.length] ?? ''
  const startsOk = !word.test(value[0]!) || !word.test(before) || /\\[nrt]$/.test(text.slice(Math.max(0, at - 2), at))
  return startsOk && !(word.test(value.at(-1)!) && word.test(after))
}

function fold(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
