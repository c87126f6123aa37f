import { describe, expect, test } from 'vitest'
import { BEFORE, bench, BOOT, HOUR, MINUTE, NOON_MS, SECOND, UP_MS } from './kit.ts'

const failed = (subject = 'app.service') => ['unit.failed', { subject, message: `${subject}: Failed.` }] as const
const ID = 'c'.repeat(64)

describe('what makes a bundle due', () => {
  test.each([
    ['a unit that failed', 'unit.failed', { subject: 'app.service' }, 'unit'],
    ['a unit that was started too often', 'unit.start-limit', { subject: 'app.service' }, 'unit'],
    ['an OOM kill of the kernel', 'kernel.oom-kill', { source: 'kernel', detail: { pid: '4711' } }, 'oom-kill'],
    ['a container that ran out of memory', 'container.oom', { source: 'container', detail: { id: ID } }, 'container'],
    ['the emergency target', 'target.reached', { subject: 'emergency.target' }, 'failed-boot'],
    ['a target that cannot be reached', 'unit.job-failed', { subject: 'local-fs.target' }, 'failed-boot'],
    ['a stage of cloud-init that failed', 'cloud-init.stage-failed', { source: 'cloud-init' }, 'failed-boot'],
    ['a phase that failed', 'phase.failed', { source: 'phase' }, 'failed-boot'],
    ['a step of provisioning', 'provision.docker', { source: 'api', detail: { status: 'failed' } }, 'failed-boot'],
  ] as const)('%s', async (_, type, more, trigger) => {
    const it = bench()
    await it.heard(it.event(type, more))
    expect(it.asked()).toEqual([trigger])
  })

  test.each([
    ['a service that waits for another', 'unit.job-failed', { subject: 'app.service' }],
    ['any other target', 'target.reached', { subject: 'multi-user.target' }],
    ['diagd itself', 'unit.failed', { subject: 'diagd.service' }],
    ['the unit that uploads at shutdown', 'unit.failed', { subject: 'diagd-upload-shutdown.service' }],
    ['an upload that failed', 'upload.failed', { source: 'diagd' }],
    ['what somebody posts under the name of another', 'unit.failed', { source: 'api', subject: 'app.service' }],
    ['a step of provisioning that went well', 'provision.docker', { source: 'api', detail: { status: 'finished' } }],
    ['a unit of the boot before', 'unit.failed', { subject: 'app.service', bootId: BEFORE }],
    ['what nobody knows', 'constructor', {}],
  ] as const)('not: %s', async (_, type, more) => {
    const it = bench()
    await it.heard(it.event(type, more))
    expect(it.asked()).toEqual([])
    expect(it.triggers.heldBack()).toEqual([])
  })

  test('a trigger that is switched off is silent', async () => {
    const it = bench({ triggers: false })
    const types = ['unit.failed', 'kernel.oom-kill', 'container.oom', 'phase.failed', 'unit.start-limit']
    await it.heard(...types.map((type) => it.event(type, { source: 'systemd', subject: 'a.service' })))
    expect(it.asked()).toEqual([])
  })

  test('the reason is the text of the event, in one line, and not too long', async () => {
    const it = bench()
    await it.heard(
      it.event('unit.failed', { subject: 'a.service', message: 'a.service:\n Failed \u{1f600}'.repeat(30) }),
    )
    const { reason } = it.wishes[0]!
    expect(reason).toMatch(/^a\.service: Failed .*…$/su)
    expect(reason.length).toBeLessThanOrEqual(300)
    expect(reason.isWellFormed()).toBe(true)
  })
})

describe('an OOM kill', () => {
  const oom = (group: string) => ['kernel.oom', { source: 'kernel', subject: group, detail: { pid: '815' } }] as const

  test('of what diagd started for itself makes nothing due', async () => {
    const it = bench()
    await it.heard(it.event(...oom('/system.slice/diagd.service')))
    await it.heard(it.event('kernel.oom-kill', { source: 'kernel', subject: 'node', detail: { pid: '815' } }))
    expect(it.asked()).toEqual([])
  })

  test('of anything else does', async () => {
    const it = bench()
    await it.heard(it.event(...oom('/system.slice/notdiagd.service')))
    await it.heard(it.event('kernel.oom-kill', { source: 'kernel', subject: 'node', detail: { pid: '815' } }))
    expect(it.asked()).toEqual(['oom-kill'])
  })
})

describe('a container', () => {
  type Word = readonly [action: string, detail?: Readonly<Record<string, string>>]
  const die = (exitCode: string): Word => ['die', { exitCode }]
  const kill = (signal: string): Word => ['kill', { signal }]
  const found = (exitCode: string, more = {}): Word => ['die', { exitCode, toldBy: 'inspect', ...more }]
  const start: Word = ['start']

  test.each<[string, readonly Word[], number]>([
    ['ended by itself with 1', [die('1')], 1],
    ['ended well', [die('0')], 0],
    ['ended, and nobody tells how', [['die', {}]], 0],
    ['was killed by nobody who says so', [die('137')], 1],
    ['was stopped and took it', [kill('15'), die('143')], 0],
    ['was stopped and ended well', [kill('15'), die('0')], 0],
    ['was stopped, did not take it, and was killed', [kill('15'), kill('9'), die('137')], 0],
    ['was killed by the name of the signal', [kill('SIGKILL'), die('137')], 0],
    ['was interrupted', [kill('INT'), die('130')], 0],
    ['was stopped and ended with an error', [kill('15'), die('1')], 1],
    ['was asked to stop, and died of something else', [kill('15'), die('137')], 1],
    ['was told to read its configuration, and crashed', [kill('1'), die('139')], 1],
    ['was stopped, started again, and was killed then', [kill('9'), start, die('137')], 1],
    ['ended while nobody listened', [found('3')], 1],
    ['ended well while nobody listened', [found('0')], 0],
    ['was perhaps stopped while nobody listened', [found('143')], 0],
    ['was perhaps killed while nobody listened', [found('137')], 0],
    ['ran out of memory while nobody listened', [found('137', { outOfMemory: 'true' })], 1],
    ['was stopped before, and is killed once more', [kill('9'), die('137'), die('137')], 1],
  ])('that %s', async (_, words, bundles) => {
    const it = bench()
    for (const [action, detail] of words)
      await it.heard(it.event(`container.${action}`, { source: 'container', detail: { id: ID, ...detail } }))
    expect(it.asked()).toHaveLength(bundles)
  })

  test('is not excused by a signal to another', async () => {
    const it = bench()
    const kill = { source: 'container', detail: { id: 'd'.repeat(64), signal: '9' } } as const
    await it.heard(it.event('container.kill', kill))
    await it.heard(it.event('container.die', { source: 'container', detail: { id: ID, exitCode: '137' } }))
    expect(it.asked()).toEqual(['container'])
  })
})

describe('news', () => {
  test('what diagd reads later is none after an hour, by the clock that nobody sets', async () => {
    const it = bench({ upMs: 3 * HOUR })
    const old = it.event(...failed())
    const atMs = (agoMs: number) => ({ ...old, monotonicMs: 3 * HOUR - agoMs, timeMs: NOON_MS - 9 * HOUR })
    await it.heard(atMs(HOUR + 1))
    expect(it.asked()).toEqual([])
    await it.heard(atMs(HOUR - MINUTE))
    expect(it.asked()).toEqual(['unit'])
  })

  test('without that clock by the other', async () => {
    const it = bench({ upMs: 3 * HOUR })
    const { monotonicMs: _, ...old } = it.event(...failed())
    await it.heard({ ...old, timeMs: NOON_MS - HOUR - 1 })
    expect(it.asked()).toEqual([])
    await it.heard({ ...old, timeMs: NOON_MS - MINUTE })
    expect(it.asked()).toEqual(['unit'])
  })

  test('what ends while the machine goes down is ended by that', async () => {
    const it = bench()
    await it.heard(it.event('system.shutdown-requested'))
    await it.heard(it.event(...failed()))
    expect(it.asked()).toEqual([])
  })

  test('a shutdown of the boot before does not count', async () => {
    const it = bench()
    await it.heard(it.event('system.shutdown', { bootId: BEFORE }))
    await it.heard(it.event(...failed()))
    expect(it.asked()).toEqual(['unit'])
  })
})

describe('the boot before ended without a word', () => {
  const ended = { bootId: BEFORE, timeMs: NOON_MS - 8 * HOUR, monotonicMs: 5 * HOUR, detail: { nextBoot: BOOT } }

  test('and the bundle of this one looks back to it', async () => {
    const it = bench({ parameters: { since: '1h' } })
    await it.heard(it.event('system.unclean-end', ended))
    expect(it.wishes).toMatchObject([{ trigger: 'unclean-end', parameters: { since: '2026-06-15T03:45:00.000Z' } }])
  })

  test('of a container, whose kernel is up for days, too', async () => {
    const it = bench({ kernelUpMs: 72 * HOUR })
    await it.heard(it.event('system.unclean-end', ended))
    expect(it.asked()).toEqual(['unclean-end'])
  })

  test('not when another boot was between', async () => {
    const it = bench()
    await it.heard(it.event('system.unclean-end', { ...ended, detail: { nextBoot: BEFORE } }))
    expect(it.asked()).toEqual([])
  })

  test('not when this boot is old: diagd is only new here', async () => {
    const it = bench({ upMs: 30 * MINUTE })
    it.nowMs = 31 * MINUTE
    await it.heard(it.event('system.unclean-end', ended))
    expect(it.asked()).toEqual([])
  })
})

describe('a boot', () => {
  const done = (seconds: number) => ({ detail: { kernelUs: '1000000', userspaceUs: String((seconds - 1) * 1e6) } })

  test('that took longer is told, with a window from its beginning', async () => {
    const it = bench({ parameters: { since: '5m' } })
    await it.heard(it.event('system.started', done(601)))
    // 10:01 before, and what led to it.
    expect(it.wishes).toMatchObject([{ trigger: 'slow-boot', parameters: { since: '2026-06-15T11:34:59.000Z' } }])
  })

  test('that took as long as it may is not', async () => {
    const it = bench()
    await it.heard(it.event('system.started', done(600)))
    expect(it.asked()).toEqual([])
  })

  test('that is not complete in time is told while it waits, once', async () => {
    const it = bench({ upMs: MINUTE })
    it.recorded.add('target.reached')
    const at = async (upMs: number) => {
      it.nowMs = upMs - MINUTE
      await it.triggers.tick()
      await it.triggers.idle()
    }
    await at(UP_MS)
    expect(it.asked()).toEqual([])
    await at(UP_MS + SECOND)
    await at(UP_MS + HOUR)
    expect(it.wishes).toMatchObject([{ trigger: 'slow-boot', reason: 'the boot is not complete after 601 s' }])
  })

  test.each([
    ['was complete', ['target.reached', 'system.started'], MINUTE],
    ['nobody tells of', [], MINUTE],
    ['was long over when diagd came', ['target.reached'], HOUR],
  ])('that %s is not', async (_, recorded, upMs) => {
    const it = bench({ upMs })
    for (const type of recorded) it.recorded.add(type)
    it.nowMs = HOUR
    await it.triggers.tick()
    await it.triggers.idle()
    expect(it.asked()).toEqual([])
  })
})
