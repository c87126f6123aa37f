import { expect, test } from 'vitest'
import { summarize } from '../../src/cli/summary.ts'
import type { BundleResult, ManifestRow } from '../../src/collect/types.ts'

const row = (path: string, outcome: ManifestRow['outcome'], detail?: string): ManifestRow => ({
  path,
  collector: path.split('/')[0]!,
  tier: 'facts',
  outcome,
  sizeBytes: 0,
  maskedCount: 0,
  durationMs: 0,
  ...(detail === undefined ? {} : { detail }),
})

const result = (rows: ManifestRow[], outcome: BundleResult['outcome'] = 'partial'): BundleResult => ({
  bundleId: 'debug-x',
  outcome,
  rows,
  bytesIn: 10 * 1024 ** 2,
  bytesOut: 1024 ** 2,
  durationMs: 1500,
})

test('of a whole bundle: one line, and where it is', () => {
  expect(summarize(result([row('a/a', 'ok')], 'whole'), './x.tar.gz')).toEqual([
    'Whole bundle: 1 entry ok, 1.0 MiB (10.0 MiB uncompressed), 1.5 s',
    './x.tar.gz',
  ])
})

test('names every entry that is not ok, the worst first, and those skipped by their collectors', () => {
  const rows = [
    row('a/ok', 'ok'),
    row('a/partial', 'partial', 'cut'),
    row('a/skipped', 'skipped', 'no root rights'),
    row('b/late', 'timeout', 'no answer for 15 s'),
    row('b/skipped', 'skipped', 'no root rights'),
    row('c/withheld', 'withheld', 'a secret'),
    row('c/failed', 'failed', 'exit code 1'),
    row('c/one', 'skipped', 'not here'),
    row('c/two', 'skipped', 'not there'),
  ]
  expect(summarize(result(rows), undefined)).toEqual([
    'skipped   a: skipped (no root rights)',
    'skipped   b: skipped (no root rights)',
    'skipped   c: one, two',
    'failed    c/failed: exit code 1',
    'timeout   b/late: no answer for 15 s',
    'partial   a/partial: cut',
    'withheld  c/withheld: a secret',
    'Partial bundle: 1 entry ok, 1 failed, 1 timeout, 1 partial, 1 withheld, 4 skipped, 1.0 MiB (10.0 MiB uncompressed), 1.5 s',
  ])
})

test('those of a collector that have the same reason stand together', () => {
  const cut = 'left out: the limit is used up'
  const many = Array.from({ length: 22 }, (_, index) => row(`c/${index}`, 'partial', cut))
  const rows = [row('a/one', 'partial', cut), row('b/b', 'partial', cut), row('a/two', 'partial', cut), ...many]
  const numbers = Array.from({ length: 20 }, (_, index) => index).join(', ')
  expect(summarize(result([row('a/three', 'partial', 'cut here'), ...rows]), undefined).slice(0, -1)).toEqual([
    'partial   a/three: cut here',
    `partial   a: one, two (${cut})`,
    `partial   b/b: ${cut}`,
    `partial   c: ${numbers} and 2 more (${cut})`,
  ])
})

test('is no longer than anybody reads', () => {
  const rows = Array.from({ length: 250 }, (_, index) => row(`a/${index}`, 'failed', `x ${index}`))
  const lines = summarize(result(rows), undefined)
  expect(lines).toHaveLength(202)
  expect(lines[200]).toBe('and 50 more; manifest.json has them all')
})
