import { expect, test } from 'vitest'
import { lineTimes } from '../../src/sources/log-times.ts'

const mtimeMs = Date.parse('2026-11-21T10:00:00Z')
const times = (timeZone = 'UTC', at = mtimeMs) => lineTimes({ timeZone, mtimeMs: at })
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString())

test.each([
  ['2026-11-21T09:34:09.123456Z host kernel: x', '2026-11-21T09:34:09.123Z'],
  ['2026-11-21T09:34:09.123456+01:00 host sshd[1]: x', '2026-11-21T08:34:09.123Z'],
  ['2026-11-21T09:34:09-0530 x', '2026-11-21T15:04:09.000Z'],
  ['2026-11-21 09:34:09,123 - util.py[DEBUG]: x', '2026-11-21T09:34:09.123Z'],
  ['2026-11-21 09:34:09 status installed x', '2026-11-21T09:34:09.000Z'],
  ['2026-11-21 09:34:09.5 +0200 x', '2026-11-21T07:34:09.500Z'],
  ['2026-11-21 09:34:09.120+02 [12] LOG: x', '2026-11-21T07:34:09.120Z'],
  ['[2026-11-21 09:34:09] x', '2026-11-21T09:34:09.000Z'],
  ['2026/11/21 09:34:09 [error] 12#12: x', '2026-11-21T09:34:09.000Z'],
  ['time="2026-11-21T09:34:09.1Z" level=info msg=x', '2026-11-21T09:34:09.100Z'],
  ['{"time":"2026-11-21T09:34:09Z","level":30}', '2026-11-21T09:34:09.000Z'],
  ['Start-Date: 2026-11-21  09:34:09', '2026-11-21T09:34:09.000Z'],
  ['<34>1 2026-11-21T09:34:09Z host app - - -', '2026-11-21T09:34:09.000Z'],
  ['Nov 21 09:34:09 host kernel: x', '2026-11-21T09:34:09.000Z'],
  ['Nov  1 09:34:09 host kernel: x', '2026-11-01T09:34:09.000Z'],
  ['10.0.0.1 - anna [21/Nov/2026:09:34:09 +0100] "GET / HTTP/1.1" 200 1', '2026-11-21T08:34:09.000Z'],
  ['[Sat Nov 21 09:34:09.123456 2026] [core:error] x', '2026-11-21T09:34:09.123Z'],
  ['Sat Nov 21 09:34:09 UTC 2026', '2026-11-21T09:34:09.000Z'],
  ['type=AVC msg=audit(1763717649.123:456): avc: denied', '2025-11-21T09:34:09.123Z'],
  ['1763717649.123 200 TCP_MISS/200', '2025-11-21T09:34:09.123Z'],
])('%s', (line, expected) => {
  expect(iso(times()(line))).toBe(expected)
})

test.each([
  '',
  '  at Object.<anonymous> (x.js:1:2)',
  'Install: a:amd64 (1.0)',
  '12345',
  'Nov is a month',
  'see 2026-11-21 09:34:09',
])('%j bears no time', (line) => {
  expect(times()(line)).toBeUndefined()
})

test('times without a zone are in the zone of the host', () => {
  expect(iso(times('Asia/Tokyo')('2026-11-21 09:34:09 x'))).toBe('2026-11-21T00:34:09.000Z')
  expect(iso(times('Europe/Berlin')('Jul 21 09:34:09 h x'))).toBe('2026-07-21T07:34:09.000Z')
  expect(iso(times('Europe/Berlin')('Jan 21 09:34:09 h x'))).toBe('2026-01-21T08:34:09.000Z')
  expect(iso(times('Europe/Berlin')('2026-10-25 03:30:00 after the clock went back'))).toBe('2026-10-25T02:30:00.000Z')
})

test.each(['UTC', 'Etc/UTC'])('%s is UTC', (timeZone) => {
  expect(iso(times(timeZone)('2026-11-21 09:34:09 x'))).toBe('2026-11-21T09:34:09.000Z')
  expect(iso(times(timeZone)('Jul 21 09:34:09 h x'))).toBe('2026-07-21T09:34:09.000Z')
})

test('an unknown zone counts as UTC', () => {
  expect(iso(times('Mars/Olympus')('2026-11-21 09:34:09 x'))).toBe('2026-11-21T09:34:09.000Z')
})

test('a time without a year is the latest that is not after the file was written', () => {
  const newYear = times('UTC', Date.parse('2027-01-02T00:00:00Z'))
  expect(iso(newYear('Dec 31 23:59:59 h x'))).toBe('2026-12-31T23:59:59.000Z')
  expect(iso(newYear('Jan  1 00:00:01 h x'))).toBe('2027-01-01T00:00:01.000Z')
  const eve = times('Asia/Tokyo', Date.parse('2026-12-31T16:00:00Z'))
  expect(iso(eve('Jan  1 00:59:00 h x'))).toBe('2026-12-31T15:59:00.000Z')
})

test('notations may be mixed in a file', () => {
  const time = times()
  expect(iso(time('Nov 21 09:34:09 h x'))).toBe('2026-11-21T09:34:09.000Z')
  expect(iso(time('2026-11-21T09:34:10Z x'))).toBe('2026-11-21T09:34:10.000Z')
  expect(iso(time('Nov 21 09:34:11 h x'))).toBe('2026-11-21T09:34:11.000Z')
})
