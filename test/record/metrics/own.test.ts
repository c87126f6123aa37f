import { expect, test } from 'vitest'
import { createOwnMetrics } from '../../../src/record/metrics/own.ts'

test('what is counted grows, one sample for each set of labels', () => {
  const own = createOwnMetrics()
  const count = own.counter('diagd_bundles_total', 'Bundles by how they ended.')
  expect(own.families()).toEqual([])
  count({ outcome: 'whole' })
  count({ outcome: 'partial' }, 2)
  count({ outcome: 'whole' })
  expect(own.families()).toEqual([
    {
      name: 'diagd_bundles_total',
      help: 'Bundles by how they ended.',
      kind: 'counter',
      samples: [
        { labels: { outcome: 'whole' }, value: 2 },
        { labels: { outcome: 'partial' }, value: 2 },
      ],
    },
  ])
})

test('what was handed out does not change any more', () => {
  const own = createOwnMetrics()
  const count = own.counter('a_total', 'A.')
  count({})
  const [before] = own.families()
  count({})
  expect(before!.samples[0]!.value).toBe(1)
})

test('what is asked is told as it is then, and what is not known is left out', () => {
  const own = createOwnMetrics()
  let size: number | undefined
  own.ask('gauge', 'diagd_store_size_bytes', 'Size.', () => size)
  own.ask('gauge', 'diagd_build_info', 'Version.', () => [{ labels: { version: '1' }, value: 1 }])
  expect(own.families().map(({ name }) => name)).toEqual(['diagd_build_info'])
  size = 0
  expect(own.families()[0]!.samples).toEqual([{ labels: {}, value: 0 }])
})
