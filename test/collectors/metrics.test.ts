import { expect, test } from 'vitest'
import metrics from '../../collectors/metrics.ts'
import { WANTED } from '../../collectors/lib/metrics-overview/wanted.ts'
import type { MeasuredQuery } from '../../src/collector.ts'
import { CATALOGUE } from '../../src/record/metrics/catalogue/index.ts'
import { described, testKit, tree } from '../helpers/kit.ts'
import { BROKEN, HOGGED, HOUR, IDLE, kitOf, mount, NOON, NOTHING, type Day } from './lib/metrics-overview/days.ts'

const table = async (day: Day) => (await (await described(metrics, kitOf(day))).value('overview.txt')) as string

test('what stood out, and the main numbers as they are, were lately and at their highest', async () => {
  const text = await table(HOGGED)
  expect(text.split('\n').slice(0, 4)).toEqual([
    'node-1, boot 3f0c9a52-7d1e-4b8a-9c55-0123456789ab: 24 h from 2026-06-14 12:00 to 2026-06-15 12:00 UTC. 5 min, 1 h, 24 h: averages. overview.svg draws it, metrics.db has all.',
    '',
    '! Out of memory in container worker: 6 processes were killed, the last at 11:57',
    '! Memory in use: 99 % at 07:18, over 95 % for 6 min. Largest then: java (4711) 6.1 GiB',
  ])
  const row = (name: string) =>
    text
      .split('\n')
      .find((line) => line.includes(`  ${name}  `))!
      .split(/ {2,}/)
  expect(text).toMatch(/\n +now +5 min +1 h +24 h +highest +at\n/)
  expect(row('in use')).toEqual(['Memory', 'in use', '2.4 GiB', '2.5 GiB', '2.4 GiB', '2.5 GiB', '7.9 GiB', '07:18'])
  expect(row('worker')).toEqual(['Container RAM', 'worker', '100 %', '100 %', '76 %', '40 %', '100 %', '10:12'])
  // What was the same all the time reached its highest at no time.
  expect(row('/data')).toEqual(['Disk space', '/data', '63 %', '63 %', '63 %', '63 %', '63 %'])
})

test('a long name is fitted in, so that every row has room on a screen', async () => {
  const text = await table({ sampled: [...IDLE.sampled, mount(`/data/${'deep/'.repeat(40)}state`, () => 0.5)] })
  expect(text).toContain(' /data/deep/deep/deep/dee…deep/deep/state ')
  expect(
    Math.max(
      ...text
        .split('\n')
        .slice(3)
        .map((line) => line.length),
    ),
  ).toBeLessThan(140)
})

test('a quiet day, and times without numbers, are said', async () => {
  expect(await table(IDLE)).toContain('\n\nNothing stood out.\n\n')
  expect(await table(BROKEN)).toContain('\n- Booted: after 6 min at 08:00; after 6 min at 03:00\n')
  expect(await table(NOTHING)).toContain('\n\nNothing was measured in this time.\n')
})

test('table and picture come first, the database later, what was set aside last', async () => {
  const setAside = ['set-aside/metrics.db.damaged-1']
  const { all } = await described(metrics, testKit({ root: await tree({}), events: [], setAside }))
  expect(all.map(({ kind, name, tier }) => ({ kind, name, tier }))).toEqual([
    { kind: 'text', name: 'overview.txt', tier: undefined },
    { kind: 'text', name: 'overview.svg', tier: undefined },
    { kind: 'stored', name: 'metrics.db', tier: 'logs' },
    { kind: 'stored', name: 'set-aside/metrics.db.damaged-1', tier: 'bulk' },
  ])
})

test('where nothing is measured, table and picture say why', async () => {
  const entries = await described(metrics, testKit({ root: await tree({}) }))
  await expect(entries.value('overview.txt')).rejects.toThrow('nothing is measured')
  await expect(entries.value('overview.svg')).rejects.toThrow('nothing is measured')
})

test('a window of minutes shows the hour before, one of days all of them in as many steps', async () => {
  const asked = async (sinceMs: number) => {
    const queries: MeasuredQuery[] = []
    const kit = testKit({
      root: await tree({}),
      events: [],
      window: { sinceMs, untilMs: NOON },
      metrics: (query) => {
        queries.push(query)
        return { series: [], marks: [], leftOut: 0 }
      },
    })
    await (await described(metrics, kit)).value('overview.svg')
    return queries.map(({ sinceMs: from, stepMs }) => [(NOON - from) / HOUR, stepMs / 1000])
  }
  expect(await asked(NOON - 5 * 60_000)).toEqual([[1, 10]])
  expect(await asked(NOON - 7 * 24 * HOUR)).toEqual([[7 * 24, 1800]])
})

test('every column that is asked for is measured', () => {
  const known = new Set(CATALOGUE.flatMap(({ subject, kept }) => (kept ? [`${subject} ${kept.column}`] : [])))
  const asked = Object.entries(WANTED).flatMap(([subject, columns]) => columns.map((column) => `${subject} ${column}`))
  expect(asked.filter((column) => !known.has(column))).toEqual([])
})
