/** What becomes of a unit is told by the lines of the journal, and made exact by systemd. */
import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import type { TimelineInputs } from '../../../../collectors/lib/boot-timeline/types.ts'
import { journalLine, START_MS } from '../../../helpers/boot.ts'

type Line = readonly [atMs: number, kind: Parameters<typeof journalLine>[1], fields?: Record<string, string>]

/** All of one unit, and the end of the start at 100 s. */
const journalOf = (lines: readonly Line[], UNIT = 'a.service') =>
  lines.map(([atMs, kind, fields]) => journalLine(atMs, kind, { UNIT, ...fields })).join('') + finished(100_000)

const finished = (atMs: number) =>
  journalLine(atMs, 'startupFinished', { KERNEL_USEC: '1000000', USERSPACE_USEC: `${(atMs - 1000) * 1000}` })

const unitsOf = (inputs: Partial<TimelineInputs>) =>
  bootTimeline({ bootId: 'b', live: false, ...inputs })
    .steps.filter(({ source }) => source === 'systemd')
    .map(({ name, status, startedMs, endedMs, detail }) => ({ name, status, ms: [startedMs, endedMs], detail }))

const exited = (status: string, code = 'exited') => ({ EXIT_CODE: code, EXIT_STATUS: status })

describe('by the journal', () => {
  test.each<[string, Line[], object[]]>([
    [
      'what starts for a while, and what is up at once',
      [
        [1000, 'starting'],
        [3000, 'started'],
        [4000, 'starting'],
        [4500, 'started'],
      ],
      [
        { status: 'done', ms: [1000, 3000], detail: '' },
        { status: 'done', ms: [4000, 4500], detail: '' },
      ],
    ],
    [
      'a start that times out',
      [
        [1000, 'starting'],
        [91_000, 'unitFailed', { UNIT_RESULT: 'timeout' }],
        [91_001, 'startFailed', { JOB_RESULT: 'failed' }],
      ],
      [{ status: 'failed', ms: [1000, 91_000], detail: 'timeout' }],
    ],
    [
      'a start that never began: what it needs failed',
      [[1000, 'startFailed', { JOB_RESULT: 'dependency' }]],
      [{ status: 'failed', ms: [1000, 1000], detail: 'dependency' }],
    ],
    [
      'one that is killed',
      [
        [1000, 'started'],
        [2000, 'processExited', exited('34', 'killed')],
        [2000, 'unitFailed', { UNIT_RESULT: 'signal' }],
      ],
      [{ status: 'failed', ms: [1000, 2000], detail: 'killed by signal 34' }],
    ],
    [
      'one that is killed for want of memory',
      [
        [1000, 'started'],
        [2000, 'processExited', exited('9', 'killed')],
        [2000, 'unitFailed', { UNIT_RESULT: 'oom-kill' }],
      ],
      [{ status: 'failed', ms: [1000, 2000], detail: 'oom-kill (killed by SIGKILL)' }],
    ],
    [
      'one that was up for long before',
      [
        [1000, 'started'],
        [62_000, 'processExited', exited('2')],
        [62_000, 'unitFailed'],
      ],
      [{ status: 'failed', ms: [1000, 62_000], detail: 'up for 61 s, then: exit status 2' }],
    ],
    [
      'one that ends in good order again and again, and is kept alive',
      [
        [1000, 'started'],
        [2000, 'restartScheduled', { N_RESTARTS: '1' }],
        [2001, 'stopped'],
        [2100, 'started'],
      ],
      [{ status: 'restarted', ms: [1000, 2100], detail: '1 failed starts before it: exited by itself' }],
    ],
    [
      'one that is given up',
      [1000, 2000, 3000].flatMap((ms): Line[] => [
        [ms, 'started'],
        [ms + 10, 'processExited', exited('1')],
        [ms + 10, 'unitFailed'],
        [ms + 500, 'restartScheduled'],
      ]),
      [{ status: 'failed', ms: [1000, 3010], detail: '3 starts, all failed: exit status 1' }],
    ],
    [
      'one that was stopped before it was up',
      [
        [1000, 'starting'],
        [2000, 'stopping'],
        [2500, 'stopped'],
      ],
      [{ status: 'never-ended', ms: [1000, 2500], detail: '' }],
    ],
  ])('%s', (_, lines, expected) => {
    expect(unitsOf({ journal: journalOf(lines) })).toMatchObject(expected)
  })

  test('a line is of the time when it was said, not when it was received', () => {
    const said = { UNIT: 'a.service', _SOURCE_REALTIME_TIMESTAMP: `${(START_MS + 4200) * 1000}` }
    const set = { UNIT: 'b.service', _SOURCE_REALTIME_TIMESTAMP: `${(START_MS - 3_600_000) * 1000}` }
    const journal =
      journalLine(5000, 'started', said) + journalLine(6000, 'started', set).replace('b.service', 'b.mount')
    expect(unitsOf({ journal: journal.replace('b.mount', 'b.service') })).toMatchObject([
      { name: 'a.service', ms: [4200, 4200] },
      { name: 'b.service', ms: [6000, 6000] },
    ])
  })

  test('mounts of containers and what takes no time are left out', () => {
    const names = [
      'var-lib-docker-overlay2-1.mount',
      'run-docker-netns-1.mount',
      'session-1.scope',
      'a.slice',
      'data.mount',
    ]
    const journal = names.map((UNIT) => journalLine(1000, 'started', { UNIT })).join('')
    expect(unitsOf({ journal }).map(({ name }) => name)).toEqual(['data.mount'])
  })
})

describe('what belongs to the start', () => {
  const later: Line[] = [
    [3_600_000, 'starting'],
    [3_601_000, 'started'],
  ]

  test('not what begins an hour later, and not what fails then', () => {
    const crash: Line[] = [
      [2000, 'started'],
      [3_600_000, 'unitFailed', { UNIT_RESULT: 'oom-kill' }],
    ]
    expect(unitsOf({ journal: journalOf(later) })).toEqual([])
    expect(unitsOf({ journal: journalOf(crash) })).toMatchObject([{ status: 'done', ms: [2000, 2000] }])
  })

  test('what fails right after it does', () => {
    const journal =
      journalOf([
        [130_000, 'starting'],
        [131_000, 'startFailed', { JOB_RESULT: 'failed' }],
      ]) + journalOf(later, 'b.service')
    expect(unitsOf({ journal })).toMatchObject([{ name: 'a.service', status: 'failed', ms: [130_000, 131_000] }])
    expect(unitsOf({ journal: journalOf([[130_000, 'started']]) })).toEqual([])
  })

  test('phases that follow each other within ten minutes do', () => {
    const phase = (name: string, fromMs: number, toMs: number) =>
      journalLine(fromMs, undefined, { MESSAGE: `PHASE START: ${name}` }) +
      journalLine(toMs, undefined, { MESSAGE: `PHASE END: ${name}` })
    const journal =
      finished(100_000) +
      phase('a', 600_000, 700_000) +
      phase('b', 1_200_000, 1_300_000) +
      phase('c', 2_000_000, 2_100_000)
    const { steps, wallClockMs } = bootTimeline({ bootId: 'b', live: false, journal })
    expect(steps.map(({ name }) => name)).toEqual(['kernel', 'a', 'b'])
    expect(wallClockMs).toBe(1_300_000)
  })
})

describe('systemd itself', () => {
  const show = (unit: Record<string, string | number>) =>
    Object.entries(unit)
      .map(([key, value]) => `${key.replace(/^(.*)At$/, '$1TimestampMonotonic')}=${value}\n`)
      .join('')
  const manager =
    'KernelTimestamp=Fri 2026-01-02 00:00:00 UTC\nUserspaceTimestampMonotonic=3000000\nFinishTimestampMonotonic=100000000\n'
  const live = (units: readonly Record<string, string | number>[], journal = '') =>
    unitsOf({
      live: true,
      manager,
      journal,
      units: units.map(show).join('\n'),
      last: { wallMs: START_MS + 200_000, monotonicMs: 200_000 },
    })

  test('times to the microsecond instead of those of the lines', () => {
    const units = [{ Id: 'a.service', ActiveState: 'active', InactiveExitAt: 1_000_100, ActiveEnterAt: 2_999_900 }]
    expect(
      live(
        units,
        journalOf([
          [1020, 'starting'],
          [3050, 'started'],
        ]),
      ),
    ).toMatchObject([{ ms: [1000.1, 2999.9] }])
  })

  test('a start of the next day mends nothing of this one', () => {
    const units = [{ Id: 'a.service', ActiveState: 'active', InactiveExitAt: 190_000_000, ActiveEnterAt: 190_100_000 }]
    const failed = journalOf([
      [1000, 'starting'],
      [2000, 'unitFailed', { UNIT_RESULT: 'timeout' }],
    ])
    expect(live(units, failed)).toMatchObject([{ status: 'failed', ms: [1000, 2000] }])
  })

  test('alone, without a journal', () => {
    const units = [
      { Id: 'up.service', ActiveState: 'active', InactiveExitAt: 4_000_000, ActiveEnterAt: 5_000_000 },
      { Id: 'again.service', ActiveState: 'active', InactiveExitAt: 4_100_000, ActiveEnterAt: 5_000_000, NRestarts: 7 },
      {
        Id: 'ran.service',
        ActiveState: 'inactive',
        InactiveExitAt: 4_200_000,
        InactiveEnterAt: 6_000_000,
        Result: 'success',
      },
      {
        Id: 'bad.service',
        ActiveState: 'failed',
        InactiveExitAt: 4_300_000,
        InactiveEnterAt: 6_000_000,
        Result: 'exit-code',
        ExecMainStatus: 203,
      },
      {
        Id: 'late.service',
        ActiveState: 'failed',
        InactiveExitAt: 4_400_000,
        InactiveEnterAt: 6_000_000,
        Result: 'timeout',
        ExecMainStatus: 0,
      },
      { Id: 'slow.service', ActiveState: 'activating', InactiveExitAt: 4_500_000 },
      { Id: 'never.service', ActiveState: 'inactive', InactiveExitAt: 0 },
      { Id: 'tomorrow.service', ActiveState: 'active', InactiveExitAt: 190_000_000, ActiveEnterAt: 190_500_000 },
      {
        Id: 'crashed.service',
        ActiveState: 'failed',
        InactiveExitAt: 4_600_000,
        ActiveEnterAt: 4_700_000,
        InactiveEnterAt: 190_000_000,
        Result: 'signal',
      },
    ]
    expect(live(units)).toEqual([
      { name: 'up.service', status: 'done', ms: [4000, 5000], detail: '' },
      { name: 'again.service', status: 'restarted', ms: [4100, 5000], detail: 'restarted 7 times' },
      { name: 'ran.service', status: 'done', ms: [4200, 6000], detail: '' },
      { name: 'bad.service', status: 'failed', ms: [4300, 6000], detail: 'exit status 203/EXEC' },
      { name: 'late.service', status: 'failed', ms: [4400, 6000], detail: 'timeout' },
      { name: 'slow.service', status: 'running', ms: [4500, null], detail: '' },
      { name: 'crashed.service', status: 'done', ms: [4600, 4700], detail: '' },
    ])
  })

  test('in a container it knows units of its host`s time: those are older', () => {
    const units = [{ Id: 'a.service', ActiveState: 'active', InactiveExitAt: 2_000_000, ActiveEnterAt: 2_500_000 }]
    const inputs = { live: true, units: units.map(show).join('\n'), last: { wallMs: START_MS, monotonicMs: 9000 } }
    const own = 'UserspaceTimestampMonotonic=3000000\nFinishTimestampMonotonic=8000000\n'
    expect(unitsOf({ ...inputs, manager: own })).toEqual([])
    expect(unitsOf({ ...inputs, manager })).toHaveLength(1)
  })

  test('firmware, boot loader, kernel and initrd', () => {
    const whole = `${manager}FirmwareTimestampMonotonic=9000000\nLoaderTimestampMonotonic=2500000\nInitRDTimestampMonotonic=1000000\n`
    const timeline = bootTimeline({ bootId: 'b', live: true, manager: whole })
    expect(timeline.steps.map(({ name, startedMs, endedMs }) => [name, startedMs, endedMs])).toEqual([
      ['firmware', -9000, -2500],
      ['boot loader', -2500, 0],
      ['kernel', 0, 1000],
      ['initrd', 1000, 3000],
    ])
    expect(timeline.wallClockMs).toBe(109_000)
  })
})

test('of more steps than any boot has the longest stay, and those that failed', () => {
  const many = Array.from({ length: 3100 }, (_, at) => journalLine(1000 + at, 'started', { UNIT: `a${at}.service` }))
  const slow = journalOf(
    [
      [2000, 'starting'],
      [9000, 'started'],
    ],
    'slow.service',
  )
  const bad = journalOf([[90_000, 'startFailed', { JOB_RESULT: 'dependency' }]], 'bad.service')
  const { steps, stepsLeftOut } = bootTimeline({ bootId: 'b', live: false, journal: many.join('') + slow + bad })
  expect([steps.length, stepsLeftOut]).toEqual([3000, 103])
  expect(steps.map(({ name }) => name)).toEqual(expect.arrayContaining(['slow.service', 'bad.service', 'kernel']))
})
