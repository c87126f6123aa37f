import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { combineCrc32 } from '../../src/archive/crc32.ts'

test('the CRC of a concatenation follows from those of its pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])))
    }),
  )
})

test('lengths beyond 32 bits count: 4 GiB of zeros before one byte are the same as after it', () => {
  const one = crc32(Buffer.alloc(1))
  let four = one
  for (let length = 1; length < 2 ** 32; length *= 2) four = combineCrc32(four, four, length)
  expect(combineCrc32(four, one, 1)).toBe(combineCrc32(one, four, 2 ** 32))
  expect(combineCrc32(four, one, 1)).not.toBe(combineCrc32(one, four, 2 ** 32 - 1))
})
