import { expect, test } from 'vitest'
import { fit, formatBytes, formatDuration, forTerminal } from '../src/terminal.ts'

test.each([
  ['plain text, ünïcode, 漢字', 'plain text, ünïcode, 漢字'],
  ['\u001b[31mred', String.raw`\x1b[31mred`],
  ['\u009b31m', String.raw`\x9b31m`],
  ['two\nlines\r\t', String.raw`two\x0alines\x0d\x09`],
  ['\u202egnp.exe', String.raw`\u202egnp.exe`],
])('%j is shown as %s', (text, shown) => {
  expect(forTerminal(text)).toBe(shown)
})

test('fits into so many columns', () => {
  expect(fit('12345', 5)).toBe('12345')
  expect(fit('123456', 5)).toBe('1234…')
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [12.34 * 1024 ** 2, '12.3 MiB'],
  [2 * 1024 ** 5, '2048.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  [0, '0.0 s'],
  [4230, '4.2 s'],
  [59_949, '59.9 s'],
  [60_000, '1 min 00 s'],
  [187_900, '3 min 07 s'],
])('%d ms are %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})
