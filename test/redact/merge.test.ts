/** Claims on the same bytes become one; no byte is claimed twice, none is forgotten. */
import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { mergeSpans, type Claim } from '../../src/redact/merge.ts'

function claim(start: number, end: number, kind = 'a', rank: Claim['rank'] = 0): Claim {
  return { start, end, kind, rank }
}

describe('overlapping claims', () => {
  it.each<[string, Claim[], Claim[]]>([
    ['none', [], []],
    ['apart', [claim(5, 6), claim(1, 2)], [claim(1, 2), claim(5, 6)]],
    ['side by side', [claim(1, 3), claim(3, 5, 'b')], [claim(1, 3), claim(3, 5, 'b')]],
    ['one in the other', [claim(2, 3, 'b', 2), claim(1, 5)], [claim(1, 5)]],
    ['both claim all, one knows more', [claim(1, 5), claim(1, 5, 'b', 2)], [claim(1, 5, 'b', 2)]],
    ['half and half', [claim(1, 4), claim(3, 6, 'b', 2)], [claim(1, 6)]],
    ['the same beginning', [claim(1, 3, 'b', 2), claim(1, 6)], [claim(1, 6)]],
    ['a chain', [claim(1, 4), claim(3, 6), claim(5, 9)], [claim(1, 9)]],
  ])('%s', (_, claims, merged) => expect(mergeSpans(claims)).toEqual(merged))
})

test('the same bytes before and after, in order and disjoint, whatever the order they came in', () => {
  const rank = fc.constantFrom<Claim['rank']>(0, 1, 2)
  const claims = fc.array(
    fc
      .tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }), rank)
      .map(([start, length, of]) => claim(start, start + length, 'k', of)),
  )
  fc.assert(
    fc.property(claims, (all) => {
      const merged = mergeSpans(all)
      expect(bytesOf(merged)).toEqual(bytesOf(all))
      for (const [index, one] of merged.entries()) {
        if (index > 0) expect(one.start).toBeGreaterThanOrEqual(merged[index - 1]!.end)
      }
      expect(mergeSpans(all.toReversed())).toEqual(merged)
    }),
    { numRuns: 1000 },
  )
})

function bytesOf(claims: readonly Claim[]): number[] {
  const bytes = claims.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index))
  return [...new Set(bytes)].toSorted((a, b) => a - b)
}
