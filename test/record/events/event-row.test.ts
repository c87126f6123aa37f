/** Times as text: in order, to the microsecond, and back. */
import { assert, double, property } from 'fast-check'
import { expect, test } from 'vitest'
import { timeOf, timeText } from '../../../src/record/events/row.ts'

test.each([
  [0, '1970-01-01T00:00:00.000000Z'],
  [1.5, '1970-01-01T00:00:00.001500Z'],
  [1781524800000.123, '2026-06-15T12:00:00.000123Z'],
  [1781524800999.9998, '2026-06-15T12:00:01.000000Z'],
  [-1.25, '1969-12-31T23:59:59.998750Z'],
])('%d is %s', (timeMs, text) => {
  expect(timeText(timeMs)).toBe(text)
  expect(timeOf(text)).toBeCloseTo(timeMs, 2)
})

test('texts sort as the times do', () => {
  const time = double({ min: Date.UTC(1960), max: Date.UTC(2090), noNaN: true })
  assert(
    property(time, time, (one, other) => {
      const [a, b] = [timeText(one), timeText(other)]
      if (Math.abs(one - other) > 0.002) expect(a < b).toBe(one < other)
      expect(timeOf(a)).toBeCloseTo(one, 2)
    }),
  )
})
