import { expect, test } from 'vitest'
import { createSeenValues } from '../../src/redact/seen.ts'

test('the newest come first, of which so many are kept; the version tells whether there are new ones', () => {
  const seen = createSeenValues(3)
  expect([seen.version, seen.newest()]).toEqual([0, []])
  seen.add(['a', 'b', 'c'])
  const { version } = seen
  seen.add(['a'])
  expect([seen.version, seen.newest()]).toEqual([version, ['a', 'c', 'b']])
  seen.add(['d'])
  expect(seen.version).not.toBe(version)
  expect(seen.newest()).toEqual(['d', 'a', 'c'])
})
