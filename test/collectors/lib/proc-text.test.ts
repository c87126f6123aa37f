import { describe, expect, test } from 'vitest'
import {
  bytes,
  duration,
  inParallel,
  oneLine,
  percent,
  shortened,
  table,
  utc,
} from '../../../collectors/lib/proc-text.ts'

describe('a table', () => {
  test('aligns numbers right, names left, and pads no line end', () => {
    expect(
      table(
        ['>N', 'NAME', 'LAST'],
        [
          [1, 'a', 'x'],
          [100, 'long', ''],
        ],
      ),
    ).toBe('  N  NAME  LAST\n  1  a     x\n100  long\n')
  })

  test('keeps each row on its line', () => {
    expect(table(['A'], [['x\n1 fake\u001b[31m']])).toBe('A\nx\\n1 fake\\x1b[31m\n')
  })
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1023 * 1024, '1023 KiB'],
  [1536 * 1024 ** 2, '1.50 GiB'],
])('%i bytes read as %s', (count, text) => {
  expect(bytes(count)).toBe(text)
})

test.each([
  [133.45, '00:02:13.45'],
  [59.999, '00:01:00.00'],
  [356_521.5, '4d 03:02:01'],
])('%d seconds read as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test('a time that is none, and a share of nothing, show it', () => {
  expect(utc(Number.NaN)).toBe('?')
  expect(percent(1, 0)).toBe('-')
})

test('what is shortened says by how much', () => {
  expect(shortened('abcdef', 4)).toBe('abcd… (+2)')
  expect(oneLine('a\tb')).toBe('a\\x09b')
})

describe('in parallel', () => {
  test('keeps the order of the items and the limit', async () => {
    let atWork = 0
    let most = 0
    const result = await inParallel([3, 1, 2, 5, 4], 2, new AbortController().signal, async (item) => {
      most = Math.max(most, ++atWork)
      await new Promise((resolve) => setImmediate(resolve))
      atWork -= 1
      return item * 10
    })
    expect(result).toEqual([30, 10, 20, 50, 40])
    expect(most).toBe(2)
  })

  test('stops once nobody wants the result any more', async () => {
    const controller = new AbortController()
    const made: number[] = []
    await inParallel([1, 2, 3, 4], 1, controller.signal, async (item) => {
      made.push(item)
      if (item === 2) controller.abort()
    })
    expect(made).toEqual([1, 2])
  })
})
