import { expect, test } from 'vitest'
import { parseEventsKey } from '../../src/config/events.ts'

const DAY_MS = 86_400_000
const MiB = 1024 ** 2

test('a week and 64 MiB, unless it says otherwise', () => {
  expect(parseEventsKey({})).toEqual({ maxAgeMs: 7 * DAY_MS, maxBytes: 64 * MiB })
  expect(parseEventsKey({ maxAge: '14d', maxSize: '1GiB' })).toEqual({ maxAgeMs: 14 * DAY_MS, maxBytes: 1024 * MiB })
  expect(parseEventsKey('{maxAge: 12h}')).toMatchObject({ maxAgeMs: DAY_MS / 2 })
  expect(parseEventsKey('none')).toBe('none')
})

test('markers of phases, as the docs have them', () => {
  const patterns = { phaseStart: 'BEGIN (?<phase>\\w+)', phaseEnd: 'DONE (?<phase>\\w+) (?<status>\\w+)' }
  expect(parseEventsKey(patterns)).toMatchObject(patterns)
})

test.each([
  ['off', 'is not a mapping'],
  [{ maxage: '1d' }, 'Unrecognized key: "maxage"'],
  [{ maxAge: '30m' }, 'maxAge "30m" is not a time from 1h to 52w'],
  [{ maxAge: 7 }, 'maxAge 7 is not a time'],
  [{ maxAge: '53w' }, 'maxAge "53w" is not a time'],
  [{ maxSize: '1MiB' }, 'maxSize "1MiB" is not a size from 8MiB to 16GiB'],
  [{ maxSize: 'none' }, 'maxSize "none" is not a size'],
  [{ phaseStart: 'BEGIN (' }, 'phaseStart is no regular expression: '],
  [{ phaseStart: 'BEGIN (\\w+)' }, 'phaseStart has no group (?<phase>…)'],
  [{ phaseEnd: '(?<phase>(a+)+)b' }, 'phaseEnd is refused: it '],
])('%j is refused', (value, words) => {
  expect(() => parseEventsKey(value)).toThrow(words)
})
