import { expect, test } from 'vitest'
import { column, numberAfter, numberIn } from '../../../../src/record/metrics/read/text.ts'

test.each([
  ['MemFree', 'MemTotal: 5 kB\nMemFree:   1234 kB\n', 1234],
  ['file', 'inactive_file 1\nfile_mapped 2\nfile 3\n', 3],
  ['oom_kill', 'oom_kill_disable 0\nunder_oom 0\noom_kill 7\n', 7],
  ['anon', 'anon 9', 9],
  ['none', 'anon 9\nnone', undefined],
  ['max', 'max max\n', undefined],
])('the number behind %s', (key, text, number) => {
  expect(numberAfter(text, key)).toBe(number)
})

test('what is no number is none', () => {
  expect([numberIn('12\n'), numberIn('max\n'), numberIn(''), numberIn(undefined)]).toEqual([
    12,
    undefined,
    undefined,
    undefined,
  ])
})

test('a column that this kernel does not have is missing', () => {
  expect(column('Tcp: A B\nTcp: 1 2\n', 'Tcp', ['B', 'C'])).toEqual({ B: 2, C: undefined })
})
