import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { announcedMatch, PHASES } from '../../../../collectors/lib/boot-timeline/reported.ts'
import type { ReportedEvent, TimelineInputs } from '../../../../collectors/lib/boot-timeline/types.ts'
import { PHASE_PATTERNS } from '../../../../src/record/classify/phase.ts'
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
          [5000, 'PHASE END: c rc=3'],
        ),
      ),
    ).toEqual([
      { name: 'a b', source: 'phase', status: 'done', ms: [1000, 3000], detail: '' },
      { name: 'c', source: 'phase', status: 'failed', ms: [4000, 5000], detail: 'rc=3' },
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

  test('one that reboots the machine at once is in it, and never ended', () => {
    const { journal } = messages([1000, 'PHASE START: new-kernel'])
    const going = journalLine(1100, 'stopping', { UNIT: 'app.service' })
    const shutdown = journalLine(1200, 'stopped', { UNIT: 'multi-user.target' })
    const up = journalLine(500, 'started', { UNIT: 'app.service' })
    expect(stepsOf({ journal: up + journal + going + shutdown })).toMatchObject([
      { name: 'app.service', status: 'done' },
      { name: 'new-kernel', status: 'never-ended', ms: [1000, null] },
    ])
  })

  test('what only repeats a command with the words is none; a time may stand before them', () => {
    const sudo = { MESSAGE: 'root : COMMAND=/usr/bin/logger PHASE START: sudo', SYSLOG_IDENTIFIER: 'sudo' }
    const { journal } = messages([1000, 'grep "PHASE START:"'], [1002, '2026-01-02T00:00:01Z PHASE START: dated'])
    expect(stepsOf({ journal: journal + journalLine(1001, undefined, sudo) }).map(({ name }) => name)).toEqual([
      'dated',
    ])
  })

  test('in words of one`s own, which journalctl finds, too', () => {
    const phases = { start: /^begin <(?<phase>.+)>$/, end: /^end <(?<phase>.+)>(?<status>)$/ }
    expect(stepsOf({ ...messages([1000, 'begin <x>'], [2000, 'end <x>']), phases })).toMatchObject([
      { name: 'x', status: 'done' },
    ])
    expect(announcedMatch(phases)).toBe(
      '--grep=(?im)(?:^begin <(.+)>$)|(?:^end <(.+)>()$)|starting signal loop|connecting to shim',
    )
  })

  test('are the same as those of the recorder', () => {
    expect(PHASES).toEqual(PHASE_PATTERNS)
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
    const events = [
      event(1000, 'phase.started', { subject: 'a' }),
      event(1300, 'phase.failed', { subject: 'a' }),
      event(1500, 'phase.started', { subject: 'b' }),
      event(1600, 'phase.ended', { subject: 'b' }),
    ]
    expect(stepsOf({ journal: told, events })).toMatchObject([
      { name: 'a', status: 'done' },
      { name: 'b', status: 'done', ms: [1500, 1600] },
    ])
    expect(stepsOf({ journal, events }).filter(({ source }) => source === 'phase')).toMatchObject([
      { name: 'a', status: 'failed', detail: 'what it says' },
      { name: 'b', status: 'done' },
    ])
  })
})

describe('containers', () => {
  const WEB = '3f'.repeat(32)
  const DB = 'ab'.repeat(32)
  const loop = (id: string) =>
    `time="2026-01-02T00:00:09Z" level=info msg="starting signal loop" namespace=moby path=/run/containerd/io.containerd.runtime.v2.task/moby/${id} pid=812`

  test('of what containerd, the recorder and the engine tell, the first start in this boot', () => {
    const { journal } = messages([9000, loop(WEB)], [20_000, loop(WEB)])
    const events = [
      { timeMs: START_MS + 9500, bootId: BOOT, type: 'container.started', subject: WEB, message: '' },
      { timeMs: START_MS + 8000, bootId: BOOT, type: 'container.started', subject: 'cd'.repeat(32), message: '' },
    ]
    const containers = [
      { id: WEB, name: 'web', startedAt: '2026-01-02T00:00:20.000000000Z' },
      { id: DB, name: 'db', startedAt: '2026-01-02T00:00:10.5Z' },
      { id: '1', name: 'old', startedAt: '2025-12-31T00:00:00Z' },
      { id: '2', name: 'never', startedAt: '0001-01-01T00:00:00Z' },
    ]
    const started = (inputs: Partial<TimelineInputs>) =>
      stepsOf({ journal, events, containers, ...inputs }).map(({ name, ms }) => [name, ms[0]])
    expect(started({ live: true })).toEqual([
      ['cdcdcdcdcdcd', 8000],
      ['web', 9000],
      ['db', 10_500],
    ])
    // Of an earlier boot the engine knows the names only.
    expect(started({ live: false })).toEqual([
      ['cdcdcdcdcdcd', 8000],
      ['web', 9000],
    ])
  })
})
