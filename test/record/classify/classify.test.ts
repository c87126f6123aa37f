import { describe, expect, test } from 'vitest'
import { classify, FIELDS, ROWS } from '../../../src/record/classify/classify.ts'
import { PHASE_PATTERNS } from '../../../src/record/classify/phase.ts'
import { JournalIntake } from '../../../src/record/journal/intake.ts'
import { parseJournalLine } from '../../../src/sources/journal-line.ts'
import { counted } from '../helpers/memory-store.ts'
import { recorded } from '../helpers/journals.ts'

/** What journald adds to the words of each speaker. */
const TRUSTED = { systemd: { _PID: '1' }, journald: { _TRANSPORT: 'driver' }, kernel: {}, service: {} }

const line = (fields: Readonly<Record<string, unknown>>, number = 1) =>
  JSON.stringify({
    __CURSOR: `s=1;i=${number.toString(16)};b=${'a'.repeat(32)};m=f4240;t=5f5e100;x=${number}`,
    __REALTIME_TIMESTAMP: '1767322800000000',
    __MONOTONIC_TIMESTAMP: '20000000',
    _BOOT_ID: 'a'.repeat(32),
    ...fields,
  })

const events = (fields: Readonly<Record<string, unknown>>) =>
  classify(parseJournalLine(line(fields))!, { phases: PHASE_PATTERNS })

describe('each row of the tables', () => {
  test.each(ROWS.map((row) => [row.type, row] as const))('%s: its example makes it', (type, row) => {
    const fields = { ...TRUSTED[row.from], ...row.example }
    expect(Object.keys(row.example).filter((name) => !FIELDS.includes(name))).toEqual([])
    const [event, ...more] = events(fields)
    const { source, level } = row
    expect(event).toMatchObject({ type, source, level, message: row.example['MESSAGE'] })
    expect(more).toEqual([])
    if (row.subject !== undefined) expect(event!.subject).not.toBe('')
    expect(Object.keys(event!.detail ?? {}).length).toBeGreaterThanOrEqual(row.detail === undefined ? 0 : 1)
  })

  test.each(ROWS.map((row) => [row.type, row] as const))('%s: passes the look at the bytes', (type, row) => {
    const intake = new JournalIntake({ state: {}, complete: true })
    intake.feed(Buffer.from(`${line({ ...TRUSTED[row.from], ...row.example })}\n`))
    expect(intake.take()?.events).toMatchObject([{ type }])
  })

  test('nobody can speak for the kernel, for systemd, journald or another service', () => {
    for (const { from, example } of ROWS) {
      const claimed = { ...example, _TRANSPORT: 'journal', _PID: '812', _SYSTEMD_UNIT: 'user@1000.service' }
      expect(events({ ...claimed, SYSLOG_IDENTIFIER: from === 'service' ? 'dockerd' : from })).toEqual([])
    }
  })
})

describe('a recorded machine', () => {
  const all = () => {
    const intake = new JournalIntake({ state: {}, complete: true })
    intake.feed(recorded('three-boots.json'))
    return intake.take()!.events
  }

  test('makes the events that happened to it', () => {
    const { 'unit.started': started, 'unit.starting': starting, ...counts } = counted(all())
    expect(counts).toEqual({
      'journal.started': 4,
      'journal.stopped': 2,
      'target.reached': 43,
      'phase.started': 3,
      'engine.ready': 3,
      'system.started': 3,
      'system.shutdown-requested': 1,
      'system.shutdown': 1,
      'system.unclean-end': 1,
      'unit.failed': 9,
      'unit.job-failed': 1,
      'unit.main-exited': 8,
      'unit.restart-scheduled': 4,
      'unit.start-limit': 1,
      'unit.stopped': 20,
      'unit.stopping': 7,
    })
    expect([started, starting]).toEqual([87, 47])
  })

  test('the boot that was cut off is told from the one that was shut down', () => {
    const boots = [...new Set(all().map(({ bootId }) => bootId))]
    expect(boots).toHaveLength(3)
    expect(boots[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const ends = all().filter(({ type }) => /^system\.(?:unclean-end|shutdown)$/.test(type))
    expect(ends.map(({ type, bootId, subject }) => [type, boots.indexOf(bootId), subject])).toEqual([
      ['system.shutdown', 0, 'reboot.target'],
      ['system.unclean-end', 1, ''],
    ])
  })

  test('how a service that failed again and again was given up', () => {
    const story = all().filter(({ subject, type }) => subject === 'flaky.service' && type !== 'unit.main-exited')
    const round = ['unit.started', 'unit.failed', 'unit.restart-scheduled', 'unit.stopped']
    expect(story.map(({ type }) => type)).toEqual([
      ...[round, round, round, round].flat(),
      'unit.start-limit',
      'unit.failed',
    ])
    expect(story.filter(({ type }) => type === 'unit.restart-scheduled').map(({ detail }) => detail)).toEqual(
      [1, 2, 3, 4].map((restarts) => ({ restarts })),
    )
  })
})

test('services that wrote too many messages: how many were dropped, and whose, as journald said', () => {
  const intake = new JournalIntake({ state: {}, complete: true })
  intake.feed(recorded('suppressed.json'))
  const found = intake.take()!.events.filter(({ type }) => type === 'journal.suppressed')
  expect(found).toMatchObject([
    { level: 'warning', source: 'systemd', subject: 'talk.service' },
    { level: 'warning', source: 'systemd', subject: String.raw`talk@a\x2db.service` },
  ])
  expect(found.map(({ detail }) => detail)).toEqual([{ messages: 125 }, { messages: 125 }])
})

describe('phase markers', () => {
  const phase = (MESSAGE: unknown, more = {}) => events({ MESSAGE, SYSLOG_IDENTIFIER: 'provision', ...more })

  test.each([
    ['PHASE START: install docker', 'phase.started', 'install docker', undefined],
    ['[12:00:01] PHASE START: x', 'phase.started', 'x', undefined],
    ['PHASE END: install docker', 'phase.ended', 'install docker', undefined],
    ['PHASE END: install docker 0', 'phase.ended', 'install docker', '0'],
    ['PHASE END: install docker [ok]', 'phase.ended', 'install docker', 'ok'],
    ['PHASE END: install docker [failed]', 'phase.failed', 'install docker', 'failed'],
    ['PHASE END: install docker (rc=100)', 'phase.failed', 'install docker', 'rc=100'],
    ['PHASE END: install docker 17', 'phase.failed', 'install docker', '17'],
    ['PHASE END: 10', 'phase.ended', '10', undefined],
  ])('%s', (message, type, subject, status) => {
    const detail = status === undefined ? { tag: 'provision' } : { tag: 'provision', status }
    expect(phase(message)).toMatchObject([{ type, subject, source: 'phase', detail }])
  })

  test('in a message that is no plain text', () => {
    const bytes = [...Buffer.from('\u001b[32mok\u001b[0m PHASE START: colours')]
    expect(phase(bytes)).toMatchObject([{ type: 'phase.started', subject: 'colours' }])
    const intake = new JournalIntake({ state: {}, complete: true })
    intake.feed(Buffer.from(`${line({ MESSAGE: bytes })}\n`))
    expect(intake.take()?.events).toHaveLength(1)
  })

  test('are not what repeats a command line, and no part of a word', () => {
    expect(phase("+ echo 'PHASE START: x'")).toEqual([])
    expect(phase('root : COMMAND=/usr/bin/logger PHASE START: x', { SYSLOG_IDENTIFIER: 'sudo' })).toEqual([])
    expect(phase('PHASE START:')).toEqual([])
    expect(phase('phase start: x')).toEqual([])
  })

  test("with words of one's own", () => {
    const phases = { start: /^>> (?<phase>.+)/, end: /^<< (?<phase>\S+) (?<status>\d+)/ }
    const intake = new JournalIntake({ state: {}, complete: true, phases })
    intake.feed(Buffer.from(`${line({ MESSAGE: '>> disks' })}\n${line({ MESSAGE: '<< disks 3' }, 2)}\n`))
    expect(intake.take()?.events).toMatchObject([
      { type: 'phase.started', subject: 'disks' },
      { type: 'phase.failed', subject: 'disks' },
    ])
  })
})

describe('a line of the journal', () => {
  test('may have fields that are null, binary, or there twice', () => {
    const entry = parseJournalLine(line({ MESSAGE: null, A: [104, 105], B: ['x', 'y'], C: [[111, 107], 'z'] }))!
    expect(['MESSAGE', 'A', 'B', 'C', 'D'].map(entry.field)).toEqual([undefined, 'hi', 'x', 'ok', undefined])
    expect(
      events({ MESSAGE: null, _PID: '1', MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf', UNIT: 'a.service' }),
    ).toMatchObject([{ type: 'unit.started', subject: 'a.service', message: '' }])
  })

  test('is none without a cursor, a boot or a time, or when it is cut', () => {
    const { __CURSOR: _, ...rest } = JSON.parse(line({})) as Record<string, unknown>
    for (const text of ['', '-- Boot --', '[]', 'null', '{"__CURSOR"', line({}).slice(0, -5), JSON.stringify(rest)])
      expect(parseJournalLine(text)).toBeUndefined()
  })

  test('has the time at which the kernel said it, not when journald read it', () => {
    const entry = parseJournalLine(line({ _TRANSPORT: 'kernel', _SOURCE_MONOTONIC_TIMESTAMP: '1500000' }))!
    expect(entry).toMatchObject({ monotonicMs: 1500, timeMs: 1767322800000 - 18_500 })
  })

  test('has the time of its source, unless that had another clock', () => {
    const at = (_SOURCE_REALTIME_TIMESTAMP: string) => parseJournalLine(line({ _SOURCE_REALTIME_TIMESTAMP }))!
    expect(at('1767322799000000')).toMatchObject({ timeMs: 1767322799000, monotonicMs: 19_000 })
    expect(at('1467322799000000')).toMatchObject({ timeMs: 1767322800000, monotonicMs: 20_000 })
  })
})
