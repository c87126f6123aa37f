import { expect, test } from 'vitest'
import events from '../../collectors/events.ts'
import type { RecordedEvent } from '../../src/collector.ts'
import { described, testKit, tree } from '../helpers/kit.ts'

const BOOT = '3f0c9a52-7d1e-4b8a-9c55-0123456789ab'
const event = (id: number, more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id,
  timeMs: Date.UTC(2026, 5, 15, 12, 0, id),
  bootId: BOOT,
  source: 'systemd',
  type: 'unit.failed',
  level: 'error',
  subject: 'app.service',
  message: 'Failed with result exit-code.',
  ...more,
})

const recent = async (recorded: readonly RecordedEvent[]) => {
  const entries = await described(events, testKit({ root: await tree({}), events: recorded }))
  return entries.value('recent.txt')
}

test('the newest events are a table, newest first, boot by boot', async () => {
  const api = { source: 'api', type: 'provision.docker', level: 'info', subject: '', message: '' }
  expect(
    await recent([
      event(4, { ...api, detail: { status: 'started', version: '27' } }),
      event(3, { ...api, detail: { status: 'finished' }, message: 'all of it' }),
      event(2, { message: 'two\nlines\u001b[2J' }),
      event(1, { bootId: '0f1e2d3c-0000-4000-8000-000000000000', subject: '' }),
    ]),
  ).toBe(`The newest 4 events, newest first, times UTC; events.db has all of them.

boot 3f0c9a52-7d1e-4b8a-9c55-0123456789ab (this one)
2026-06-15 12:00:04.000  info      provision.docker               started  {"version":"27"}
2026-06-15 12:00:03.000  info      provision.docker               finished  all of it
2026-06-15 12:00:02.000  error     unit.failed       app.service  two lines [2J

boot 0f1e2d3c-0000-4000-8000-000000000000
2026-06-15 12:00:01.000  error     unit.failed                    Failed with result exit-code.
`)
})

test('a long subject pushes only its own line', async () => {
  const text = (await recent([event(2, { subject: 'x'.repeat(200) }), event(1)])) as string
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeGreaterThan(200)
  expect(text.split('\n').find((line) => line.includes('app.service'))!.length).toBeLessThan(120)
})

test('nothing recorded yet is said', async () => {
  expect(await recent([])).toBe('Nothing was recorded yet.\n')
})

test('the database and what was set aside come later than the table', async () => {
  const setAside = ['set-aside/events.db.damaged-1']
  const { all } = await described(events, testKit({ root: await tree({}), events: [], setAside }))
  expect(all.map(({ kind, name, tier }) => ({ kind, name, tier }))).toEqual([
    { kind: 'text', name: 'recent.txt', tier: undefined },
    { kind: 'stored', name: 'events.db', tier: 'logs' },
    { kind: 'stored', name: 'set-aside/events.db.damaged-1', tier: 'bulk' },
  ])
})
