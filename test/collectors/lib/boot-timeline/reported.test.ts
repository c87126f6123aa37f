import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { phaseMatch } from '../../../../collectors/lib/boot-timeline/reported.ts'
import type { ReportedEvent, TimelineInputs } from '../../../../collectors/lib/boot-timeline/types.ts'
import { journalLine, START_MS } from '../../../helpers/boot.ts'

const BOOT = '3f0c9a52-7d1e-4b8a-9c55-0123456789ab'

const stepsOf = (inputs: Partial<TimelineInputs>) =>
  bootTimeline({ bootId: BOOT, live: false, ...inputs }).steps.map(
    ({ name, source, status, startedMs, endedMs, detail }) => ({
      name,
      source,
      status,
      ms: [startedMs, endedMs],
      detail,
    }),
  )

const messages = (...list: readonly (readonly [number, string])[]) => ({
  journal: list.map(([atMs, MESSAGE]) => journalLine(atMs, undefined, { MESSAGE })).join(''),
})

describe('phases', () => {
  test('begin, end and fail, in any order of the lines', () => {
    expect(
      stepsOf(
        messages(
          [3000, 'PHASE END: a b'],
          [1000, 'PHASE START: a b'],
          [4000, 'PHASE START: c'],
          [5000, 'PHASE FAILED: c'],
        ),
      ),
    ).toEqual([
      { name: 'a b', source: 'phase', status: 'done', ms: [1000, 3000], detail: '' },
      { name: 'c', source: 'phase', status: 'failed', ms: [4000, 5000], detail: '' },
    ])
  })

  test('said twice, on the console and by logger, they are one', () => {
    const twice = messages(
      [1000, 'PHASE START: a'],
      [1002, 'PHASE START: a'],
      [1500, 'PHASE END: a'],
      [1502, 'PHASE END: a'],
    )
    expect(stepsOf(twice)).toMatchObject([{ name: 'a', status: 'done', ms: [1000, 1500] }])
    // The copy comes when the phase is over.
    const late = messages(
      [1000, 'PHASE START: a'],
      [1500, 'PHASE END: a'],
      [1501, 'PHASE START: a'],
      [1502, 'PHASE END: a'],
    )
    expect(stepsOf(late)).toMatchObject([{ name: 'a', status: 'done', ms: [1000, 1500] }])
  })

  test('begun again, and ended without a beginning', () => {
    expect(stepsOf(messages([1000, 'PHASE START: a'], [9000, 'PHASE START: a'], [9500, 'PHASE END: a']))).toMatchObject(
      [{ status: 'restarted', ms: [1000, 9500], detail: 'started 2 times' }],
    )
    expect(stepsOf(messages([1000, 'PHASE END: a']))).toMatchObject([
      { status: 'done', ms: [1000, 1000], detail: 'nobody said when it began' },
    ])
  })

  test('commands that say the words are none', () => {
    const told = messages(
      [1000, '+ echo PHASE START: traced'],
      [1001, 'root : COMMAND=/usr/bin/logger PHASE START: sudo'],
      [1002, '[2026-01-02T00:00:01Z] PHASE START: dated'],
    )
    expect(stepsOf(told).map(({ name }) => name)).toEqual(['dated'])
  })

  test('in words of one`s own', () => {
    const phases = { start: '^begin <(.+)>$', end: '^end <(.+)>$', failed: '^broken <(.+)>$' }
    expect(stepsOf({ ...messages([1000, 'begin <x>'], [2000, 'broken <x>']), phases })).toMatchObject([
      { name: 'x', status: 'failed' },
    ])
    expect(phaseMatch(phases)).toBe('--grep=(?:^begin <(.+)>$)|(?:^end <(.+)>$)|(?:^broken <(.+)>$)')
    expect(() => stepsOf({ phases: { ...phases, end: '(' } })).toThrow(SyntaxError)
  })
})

describe('what programs report', () => {
  const event = (timeMs: number, type: string, more: Partial<ReportedEvent> = {}): ReportedEvent => ({
    timeMs: START_MS + timeMs,
    bootId: BOOT,
    type,
    subject: '',
    message: 'what it says',
    ...more,
  })
  const journal =
    journalLine(500, 'started', { UNIT: 'sysinit.target' }) + journalLine(60_000, 'starting', { UNIT: 'z.service' })

  test('provisioning, with its status in the detail or behind its name', () => {
    const events = [
      event(1000, 'provision.docker-install', { detail: { status: 'started' } }),
      event(4000, 'provision.docker-install', { detail: { status: 'failed' } }),
      event(5000, 'provision.agent.started'),
      event(6000, 'provision.agent.finished'),
      event(7000, 'provision.noise', { detail: { status: { a: 1 } } }),
    ]
    expect(stepsOf({ journal, events }).filter(({ source }) => source === 'provision')).toEqual([
      { name: 'docker-install', source: 'provision', status: 'failed', ms: [1000, 4000], detail: 'what it says' },
      { name: 'agent', source: 'provision', status: 'done', ms: [5000, 6000], detail: '' },
    ])
  })

  test('on the monotonic clock where it is known, and of this boot only', () => {
    const events = [
      event(999_999_999, 'provision.a.started', { monotonicMs: 2000, bootId: BOOT.replaceAll('-', '') }),
      event(3000, 'provision.b.started', { bootId: 'another' }),
    ]
    expect(stepsOf({ journal, events }).filter(({ source }) => source === 'provision')).toMatchObject([
      { name: 'a', status: 'never-ended', ms: [2000, null] },
    ])
  })

  test('a phase that the journal tells of and the recorder kept is one', () => {
    const told = messages([1000, 'PHASE START: a'], [2000, 'PHASE END: a']).journal
    const events = [event(1000, 'phase.a.started'), event(2000, 'phase.a.finished'), event(1500, 'phase.b.started')]
    expect(stepsOf({ journal: told, events }).map(({ name }) => name)).toEqual(['a', 'b'])
    expect(stepsOf({ journal, events }).filter(({ source }) => source === 'phase')).toHaveLength(2)
  })

  test('containers: the first start that was recorded, else the one that the engine knows', () => {
    const events = [
      event(9000, 'container.started', { subject: 'web' }),
      event(12_000, 'container.started', { subject: 'web' }),
    ]
    const containers = [
      { name: 'web', startedAt: '2026-01-02T00:00:12.000000000Z' },
      { name: 'db', startedAt: '2026-01-02T00:00:10.5Z' },
      { name: 'old', startedAt: '2025-12-31T00:00:00Z' },
      { name: 'never', startedAt: '0001-01-01T00:00:00Z' },
    ]
    const found = stepsOf({ journal, events, containers, live: true }).filter(({ source }) => source === 'container')
    expect(found).toMatchObject([
      { name: 'web', ms: [9000, 9000] },
      { name: 'db', ms: [10_500, 10_500] },
    ])
  })
})
