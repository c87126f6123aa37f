import { expect, test } from 'vitest'
import { parseContainersKey } from '../../src/config/containers.ts'

const MiB = 1024 ** 2

test('16 MiB of a log, 256 MiB in all, a thousand that are gone, unless it says otherwise', () => {
  expect(parseContainersKey({})).toEqual({
    maxLogBytes: 16 * MiB,
    maxBytes: 256 * MiB,
    maxRemoved: 1000,
    floodBytesPerSecond: 8 * MiB,
  })
  expect(parseContainersKey('{maxLogSize: 4MiB, maxSize: 1GiB, keepRemoved: 0, flood: 64KiB}')).toEqual({
    maxLogBytes: 4 * MiB,
    maxBytes: 1024 * MiB,
    maxRemoved: 0,
    floodBytesPerSecond: 64 * 1024,
  })
  expect(parseContainersKey('none')).toBe('none')
})

test.each([
  ['off', 'is not a mapping'],
  [{ keep: 5 }, 'Unrecognized key: "keep"'],
  [{ maxLogSize: '64KiB' }, 'maxLogSize "64KiB" is not a size from 1MiB to 4GiB'],
  [{ maxSize: '1MiB' }, 'maxSize "1MiB" is not a size from 16MiB to 64GiB'],
  [{ keepRemoved: -1 }, 'keepRemoved is less than 0'],
  [{ keepRemoved: '5' }, 'keepRemoved is not a whole number'],
  [{ flood: '1GiB' }, 'flood "1GiB" is not a size from 64KiB to 256MiB'],
  [{ maxLogSize: '512MiB' }, 'maxLogSize is more than maxSize'],
])('%j is refused', (value, words) => {
  expect(() => parseContainersKey(value)).toThrow(words)
})
