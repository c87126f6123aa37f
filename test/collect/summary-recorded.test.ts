import { expect, test } from 'vitest'
import {
  counts,
  engineRestarts,
  failures,
  recordedEnd,
  recordedKills,
  slowSteps,
} from '../../src/collect/summary-recorded.ts'
import type { RecordedEvent } from '../../src/collector.ts'
import { LEVELS, type Level } from '../../src/record/events/event.ts'
import { testKit } from '../helpers/kit.ts'

const NOON_MS = Date.UTC(2026, 5, 15, 12)
const NOW = 'boot-0'
const BEFORE = 'boot-1'

/** Seconds after noon, type, subject, and what else matters. */
function events(...rows: [number, string, string?, Partial<RecordedEvent>?][]): RecordedEvent[] {
  return rows.map(([second, type, subject = '', more = {}], id) => {
    const timeMs = NOON_MS + second * 1000
    const plain = { id, timeMs, bootId: NOW, source: 'systemd', level: 'error', message: `says ${type}`, type, subject }
    return Object.assign(plain, more)
  })
}

/** A recorder that filters as the real one does. */
function kitOf(all: readonly RecordedEvent[]) {
  const boots: Record<string, string> = { '0': NOW, '-1': BEFORE }
  const rank = (level: string) => LEVELS.indexOf(level as Level)
  return testKit({
    root: '/nonexistent',
    events: ({ boot, typePrefix, level = 'debug', limit }) =>
      all
        .filter((event) => boot === undefined || event.bootId === boots[String(boot)])
        .filter(({ type }) => typePrefix === undefined || type === typePrefix || type.startsWith(`${typePrefix}.`))
        .filter((event) => rank(event.level) >= rank(level))
        .toReversed()
        .slice(0, limit),
  })
}

const before = { bootId: BEFORE }

test('how much went wrong in this boot alone', async () => {
  const all = events(
    [0, 'a', '', before],
    [1, 'b', '', { level: 'warning' }],
    [2, 'c'],
    [3, 'd', '', { level: 'critical' }],
    [4, 'e', '', { level: 'info' }],
  )
  expect(await counts(kitOf(all))).toBe('2 errors, 1 warning since boot (events/recent.txt)')
  expect(await counts(kitOf([]))).toBe('no warning and no error since boot')
  await expect(counts(testKit({ root: '/nonexistent' }))).rejects.toThrow('nothing is recorded')
})

test.each([
  [[[0, 'system.shutdown', 'reboot.target', before]], 'in good order: says system.shutdown, 2026-06-15T12:00:00Z'],
  [
    [
      [0, 'system.started', '', before],
      [9, 'system.unclean-end', '', before],
    ],
    'WITHOUT A WORD (power cut, crash or reset), last heard of 2026-06-15T12:00:09Z',
  ],
  [[[0, 'system.shutdown', 'reboot.target']], undefined],
  [[[0, 'system.started', '', before]], undefined],
] as [Parameters<typeof events>, string | undefined][])('how the boot before ended: %j', async (rows, expected) => {
  expect(await recordedEnd(kitOf(events(...rows)))).toBe(expected)
})

test('who was killed, newest first, the most in one line', async () => {
  const kills = Array.from({ length: 7 }, (_, n): [number, string, string] => [n, 'kernel.oom-kill', `p${n}`])
  const lines = await recordedKills(kitOf(events(...kills, [9, 'kernel.oom', 'group'])))
  expect(lines).toHaveLength(6)
  expect(lines[0]).toBe('2026-06-15T12:00:06Z  p6')
  expect(lines[5]).toBe('… and 2 more')
})

test('units that failed, and how often, also those that run again', async () => {
  const all = events(
    [1, 'unit.failed', 'app.service'],
    [2, 'unit.failed', 'app.service'],
    [3, 'unit.start-limit', 'app.service'],
    [4, 'unit.failed', 'old.service', before],
    [5, 'unit.job-failed', 'dependent.service'],
  )
  expect(await failures(kitOf(all))).toEqual(['app.service: 3 times, last 2026-06-15T12:00:03Z: says unit.start-limit'])
})

test('engines that were stopped', async () => {
  const all = events([1, 'unit.stopped', 'docker.service'], [2, 'unit.stopped', 'app.service'])
  expect(await engineRestarts(kitOf(all))).toEqual(['docker.service: stopped once, 2026-06-15T12:00:01Z'])
})

test('the steps that took longest; first those that never ended', async () => {
  const step = (status: string, more = {}) => ({ detail: { status }, ...more })
  const all = events(
    [0, 'phase.started', 'packages', { monotonicMs: 1000 }],
    [1, 'provision.docker', '', step('started')],
    [2, 'provision.agent', '', step('started')],
    [3, 'cloud-init.stage-started', 'init'],
    [3.5, 'cloud-init.stage-finished', 'init'],
    [9, 'provision.docker', '', step('failed')],
    // The clock was set an hour back in between.
    [-3600, 'phase.ended', 'packages', { monotonicMs: 4000 }],
    [10, 'provision.other', '', step('finished')],
    [11, 'provision.lasting', '', { detail: { version: 1 } }],
  )
  expect(await slowSteps(kitOf(all))).toEqual([
    'provision.agent: begun 2026-06-15T12:00:02Z, not ended',
    'provision.docker: 8.0 s, failed',
    'phase packages: 3.0 s',
  ])
})

test('where nothing is recorded there is nothing to say', async () => {
  const kit = testKit({ root: '/nonexistent' })
  for (const ask of [recordedKills, failures, engineRestarts, slowSteps]) expect(await ask(kit)).toEqual([])
  expect(await recordedEnd(kit)).toBeUndefined()
})
