import { expect, test } from 'vitest'
import { createPace } from '../../src/otlp/pace.ts'

test('twice as long each time, up to a minute; from the beginning once it went well', () => {
  const pace = createPace(() => 1)
  expect(Array.from({ length: 8 }, () => pace.later())).toEqual([
    1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
  ])
  pace.well()
  expect(pace.later()).toBe(1000)
})

test('never all at the same moment', () => {
  expect(createPace(() => 0).later()).toBe(500)
  expect(createPace(() => 0.5).later()).toBe(750)
})

test('as long as the collector asks, and not for ever', () => {
  const pace = createPace(() => 1)
  expect(pace.later(7000)).toBe(7000)
  expect(pace.later(86_400_000)).toBe(600_000)
  expect(pace.later(1)).toBe(4000)
})
