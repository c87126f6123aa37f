import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { bootClock } from '../../../../collectors/lib/boot-timeline/clock.ts'
import { timelineText } from '../../../../collectors/lib/boot-timeline/text.ts'
import { journalLine, START_MS } from '../../../helpers/boot.ts'

/** The clock of a machine whose battery is dead: right only from the tenth second on. */
const LATE_MS = Date.UTC(1970, 0, 1)
const SET = [
  { monotonicMs: 1000, wallMs: LATE_MS + 1000 },
  { monotonicMs: 9000, wallMs: LATE_MS + 9000 },
  { monotonicMs: 10_000, wallMs: START_MS + 10_000 },
  { monotonicMs: 20_000, wallMs: START_MS + 20_000 },
]

describe('the wall clock is set while the machine starts', () => {
  test('a time is placed by the nearest moment known by both clocks', () => {
    const clock = bootClock(SET)
    expect(clock.toMonotonic(LATE_MS + 5000)).toBe(5000)
    expect(clock.toMonotonic(START_MS + 12_500)).toBe(12_500)
    expect(clock.toWall(2000)).toBe('1970-01-01T00:00:02.000Z')
    expect(clock.toWall(19_000)).toBe('2026-01-02T00:00:19.000Z')
  })

  test('forward, back, and not at all', () => {
    expect(bootClock(SET).steps).toEqual([{ atMs: 10_000, byMs: START_MS - LATE_MS, slept: false }])
    const back = [SET[2]!, { monotonicMs: 11_000, wallMs: START_MS + 11_000 - 5000 }]
    expect(bootClock(back).steps).toEqual([{ atMs: 11_000, byMs: -5000, slept: false }])
    // Slewed by NTP.
    expect(bootClock([SET[2]!, { monotonicMs: 20_000, wallMs: START_MS + 20_500 }]).steps).toEqual([])
  })

  test('a machine that slept had the right clock', () => {
    expect(bootClock(SET, [9500]).steps).toMatchObject([{ slept: true }])
    expect(bootClock(SET, [500]).steps).toMatchObject([{ slept: false }])
  })

  test('nothing known by both clocks', () => {
    const clock = bootClock([])
    expect([clock.toMonotonic(1), clock.toWall(1), clock.distanceMs(1)]).toEqual([undefined, null, Infinity])
  })
})

test('steps before and after a set clock stand on one axis, and the text says that logs do not compare', () => {
  const journal = [
    journalLine(4000, 'starting', { UNIT: 'a.service' }, LATE_MS + 4000),
    journalLine(5000, undefined, { MESSAGE: 'PHASE START: set-clock' }, LATE_MS + 5000),
    journalLine(12_000, undefined, { MESSAGE: 'PHASE END: set-clock' }),
    journalLine(13_000, 'started', { UNIT: 'a.service' }),
    journalLine(14_000, 'startupFinished', { KERNEL_USEC: '2000000', USERSPACE_USEC: '12000000' }),
  ]
  const cloudInit = [
    "1970-01-01 00:00:04,500 - util.py[DEBUG]: Cloud-init v. 22.4.2 running 'init-local' at Thu, 01 Jan 1970 00:00:04 +0000. Up 4.50 seconds.",
    '1970-01-01 00:00:05,000 - handlers.py[DEBUG]: finish: init-local: SUCCESS: searching for local datasources',
    "2026-01-02 00:00:13,100 - util.py[DEBUG]: Cloud-init v. 22.4.2 running 'init' at Fri, 02 Jan 2026 00:00:13 +0000. Up 13.10 seconds.",
    '2026-01-02 00:00:13,600 - handlers.py[DEBUG]: finish: init-network: SUCCESS: searching for network datasources',
  ].join('\n')
  const timeline = bootTimeline({ bootId: 'b', live: false, journal: journal.join(''), cloudInit })
  const found = timeline.steps.map(({ name, startedMs, endedMs }) => [name, startedMs, endedMs])
  expect(found).toEqual([
    ['kernel', 0, 2000],
    ['a.service', 4000, 13_000],
    ['cloud-init init-local', 4500, 5000],
    ['set-clock', 5000, 12_000],
    ['cloud-init init-network', 13_100, 13_600],
  ])
  expect(timeline.clockSteps).toMatchObject([{ atMs: 12_000, slept: false }])
  expect(timelineText(timeline)).toContain('! At +12.00 s the clock was set forward by 20455 d 0 h: times of logs')
})
