import { expect, test } from 'vitest'
import { parseMetricsKey } from '../../src/config/metrics.ts'

const DAY_MS = 86_400_000
const MiB = 1024 ** 2

test('every 10 s for a day, minutes for a week, 64 MiB, unless it says otherwise', () => {
  expect(parseMetricsKey({})).toEqual({
    intervalMs: 10_000,
    keepSamplesMs: DAY_MS,
    keepMinutesMs: 7 * DAY_MS,
    maxBytes: 64 * MiB,
    pressure: { cpu: 50, memory: 10, io: 50 },
  })
  expect(parseMetricsKey('{interval: 1s, keepSamples: 2d, pressure: {io: 20}}')).toMatchObject({
    intervalMs: 1000,
    keepSamplesMs: 2 * DAY_MS,
    pressure: { cpu: 50, io: 20 },
  })
  expect(parseMetricsKey('none')).toBe('none')
})

test.each([
  ['off', 'is not a mapping'],
  [{ keep: '1d' }, 'Unrecognized key: "keep"'],
  [{ interval: '500ms' }, 'interval "500ms" is not a time from 1s to 5m'],
  [{ interval: 10 }, 'interval 10 is not a time'],
  [{ keepSamples: '30m' }, 'keepSamples "30m" is not a time from 1h to 8w'],
  [{ keepMinutes: '53w' }, 'keepMinutes "53w" is not a time from 1h to 52w'],
  [{ maxSize: '1MiB' }, 'maxSize "1MiB" is not a size from 8MiB to 16GiB'],
  [{ pressure: { cpu: 0 } }, 'pressure cpu is less than 1'],
  [{ pressure: { disk: 5 } }, 'pressure Unrecognized key: "disk"'],
])('%j is refused', (value, words) => {
  expect(() => parseMetricsKey(value)).toThrow(words)
})
