/** All literals are found where a naive search finds them. */
import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createScan, SHORTEST_ANCHOR } from '../../src/redact/scanner.ts'

interface Range {
  readonly from: number
  readonly to: number
  readonly end: number
}

function scanned(literals: readonly string[], bytes: Uint8Array, { from, to, end }: Range): string[] {
  const hits: string[] = []
  createScan(literals)(bytes, from, to, end, (literal, at) => hits.push(`${at} ${literal}`))
  return hits.toSorted()
}

function naive(literals: readonly string[], bytes: Uint8Array, { from, to, end }: Range): string[] {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  const starts = Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
  const found = starts.flatMap((at) =>
    literals.flatMap((literal, index) =>
      text.startsWith(literal, at) && at + literal.length <= end ? [`${at} ${index}`] : [],
    ),
  )
  return found.toSorted()
}

// Few letters, so that texts hold literals, and literals each other.
const letters = fc.constantFrom('a', 'b', '_', '=', '\u00e9')
const literal = fc.string({ unit: letters, minLength: SHORTEST_ANCHOR, maxLength: 9 })
const literals = fc.uniqueArray(literal, { minLength: 1, maxLength: 12 })
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'B', '_', '=', '\u00e9', '\u00c9'), maxLength: 300 })

test('the same as a naive search, within any range', () => {
  fc.assert(
    fc.property(literals, text, fc.nat(300), fc.nat(300), fc.nat(300), (words, haystack, a, b, c) => {
      const bytes = Buffer.from(haystack, 'latin1')
      const [from, to, end] = [a, b, c].map((one) => Math.min(one, bytes.length)).toSorted((x, y) => x - y)
      const range = { from: from!, to: to!, end: end! }
      expect(scanned(words, bytes, range)).toEqual(naive(words, bytes, range))
    }),
    { numRuns: 2000 },
  )
})

test('the same in random bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 2000, minLength: 10 })
  fc.assert(
    fc.property(bytes, fc.nat(1000), (noise, place) => {
      const planted = Buffer.from(noise)
      planted.write('PassWord', place % noise.length, 'latin1')
      const range = { from: 0, to: planted.length, end: planted.length }
      const words = ['password', 'pass', 'word', 'ssword']
      expect(scanned(words, planted, range)).toEqual(naive(words, planted, range))
    }),
  )
})

describe('the borders', () => {
  const bytes = Buffer.from('xxtokenxx')
  const whole = { from: 0, to: 9, end: 9 }
  it.each([
    ['all of it', whole, ['2 0']],
    ['begins at from', { ...whole, from: 2 }, ['2 0']],
    ['begins before from', { ...whole, from: 3 }, []],
    ['begins right before to', { ...whole, to: 3 }, ['2 0']],
    ['begins at to', { ...whole, to: 2 }, []],
    ['ends at end', { ...whole, end: 7, to: 7 }, ['2 0']],
    ['ends behind end', { ...whole, end: 6, to: 6 }, []],
    ['nothing', { from: 0, to: 0, end: 0 }, []],
  ])('%s', (_, range, hits) => expect(scanned(['token'], bytes, range)).toEqual(hits))
})

test('begins at to, where the rare part of another literal makes the search reach farther', () => {
  expect(scanned(['token', 'eeeeqxzq'], Buffer.from('xxtokenxxxxxxx'), { from: 0, to: 2, end: 14 })).toEqual([])
})

test.each(['ab', 'Token', 'tok\u0100n'])('%j is no anchor', (word) => {
  expect(() => createScan([word])).toThrow('an anchor has at least 3 characters of one byte, letters in lower case')
})
