import { expect, test } from 'vitest'
import { planTable } from '../../src/cli/list.ts'

test('is aligned, with what each reads below it', () => {
  const rows = [
    { id: 'boot', tier: 'facts', title: 'Boots', onDemand: false, reads: ['last -x', '/proc/\u001b[2J'] },
    { id: 'docker-usage', tier: 'bulk', title: 'Usage', onDemand: true, reads: [] },
    { id: 'nft', tier: 'state', title: 'Rules', onDemand: false, missing: 'no nft', reads: [] },
  ] as const
  expect(planTable(rows)).toEqual([
    'ID            TIER   AVAILABLE               TITLE',
    'boot          facts  yes                     Boots',
    '    last -x',
    String.raw`    /proc/\x1b[2J`,
    'docker-usage  bulk   by --only docker-usage  Usage',
    'nft           state  no: no nft              Rules',
  ])
})
