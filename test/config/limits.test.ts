import { expect, test } from 'vitest'
import { DEFAULT_LIMITS, formatLimits, parseLimits } from '../../src/config/limits.ts'

test('names no limit: the defaults', () => {
  expect(formatLimits(DEFAULT_LIMITS)).toBe(
    'entry=64MiB,collector=256MiB,bundle=1GiB,command=60s,stall=15s,entries=4096',
  )
})

test('lifts the limits of bytes by "none", and keeps those of time and number', () => {
  expect(parseLimits('none')).toEqual({
    ...DEFAULT_LIMITS,
    entryBytes: Infinity,
    collectorBytes: Infinity,
    bundleBytes: Infinity,
  })
})

test('changes what is named and keeps the rest', () => {
  expect(parseLimits('entry=1GiB, command=500ms,entries=7')).toEqual({
    ...DEFAULT_LIMITS,
    entryBytes: 1024 ** 3,
    commandMs: 500,
    entries: 7,
  })
})

test.each([
  ['bundle=5MiB', 5 * 1024 ** 2],
  ['bundle=5M', 5 * 1024 ** 2],
  ['bundle=500kB', 500_000],
  ['bundle=1.5KiB', 1536],
  ['bundle=4096', 4096],
  ['bundle=none', Infinity],
])('reads the size of %s', (text, bytes) => {
  expect(parseLimits(text).bundleBytes).toBe(bytes)
})

test.each([
  ['stall=2m', 120_000],
  ['stall=90s', 90_000],
  ['stall=3', 3000],
])('reads the time of %s', (text, milliseconds) => {
  expect(parseLimits(text).stallMs).toBe(milliseconds)
})

test.each([
  ['memory=5', '"memory=5" is not a limit'],
  ['__proto__=5', '"__proto__=5" is not a limit'],
  ['entry', '"entry" is not a limit'],
  ['entry=5=6', '"entry=5=6" is not a limit'],
  ['entry=5furlongs', '"5furlongs" is not a size (in "entry=5furlongs")'],
  ['entry=-5', '"-5" is not a size (in "entry=-5")'],
  ['command=5MiB', '"5MiB" is not a time (in "command=5MiB")'],
  ['command=none', '"none" is not a time (in "command=none")'],
  ['entries=none', '"none" is not a number (in "entries=none")'],
  ['entry=0', '"0" is out of range: 1 to 9007199254740991 (in "entry=0")'],
  ['command=25h', '"25h" is out of range: 1 to 86400000 (in "command=25h")'],
  ['entry=1MiB,entry=2MiB', '"entry" is given twice'],
])('refuses %s', (text, message) => {
  expect(() => parseLimits(text)).toThrow(message)
})

test('writes limits so that they can be read again', () => {
  const limits = parseLimits('entry=1537,collector=none,bundle=3KiB,command=1500ms,stall=1s,entries=5')
  expect(formatLimits(limits)).toBe('entry=1537B,collector=none,bundle=3KiB,command=1500ms,stall=1s,entries=5')
  expect(parseLimits(formatLimits(limits))).toEqual(limits)
})
