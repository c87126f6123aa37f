/** The four known disasters, staged with real units: each is said in a sentence, from the boot itself and from the next one. */
import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import type { Timeline } from '../../../../collectors/lib/boot-timeline/types.ts'
import { bootFile, journalLine, recordedBoot } from '../../../helpers/boot.ts'

const titles = ({ findings }: Timeline) => findings.map(({ title }) => title)
const step = ({ steps }: Timeline, name: string) => steps.findLast((each) => each.name === name)

describe.each([
  ['while it goes on', recordedBoot('first-boot')],
  [
    'one boot later',
    {
      ...recordedBoot('first-boot'),
      live: false,
      last: { wallMs: 1_795_279_643_577.984, monotonicMs: 26_033_367.075 },
      journal: bootFile('first-boot', 'journal-later.json'),
      cloudInit: bootFile('slow-network', 'cloud-init.log'),
    },
  ],
])('a first boot, %s', (_, inputs) => {
  const timeline = bootTimeline(inputs)

  test('an agent that was started before it was installed', () => {
    expect(titles(timeline)).toContain(
      'agent.service was started at +2.66 s, before install-agent (phase, ended at +8.44 s) had installed what it needs: ' +
        '5 starts failed (exit status 203/EXEC), it was up at +8.95 s.',
    )
    expect(step(timeline, 'agent.service')).toMatchObject({
      status: 'restarted',
      detail: '5 failed starts before it: exit status 203/EXEC',
    })
  })

  test('one that nobody restarts stays down', () => {
    expect(titles(timeline)).toContainEqual(
      expect.stringMatching(/^backend\.service was .* it failed \(exit status 127, not found\), it never came up\.$/),
    )
    expect(step(timeline, 'backend.service')).toMatchObject({ status: 'failed', detail: 'exit status 127, not found' })
  })

  test('a restart of Docker that takes its dependents down', () => {
    expect(titles(timeline)).toContain(
      'The restart of docker.service at +9.47 s (during docker-config) took down docker-watch.service (PartOf=), ' +
        'app.service (Requires=) and web.service (BindsTo=); everything was up again at +10.29 s.',
    )
    expect(timeline.findings.filter(({ id }) => id === 'restart-took-down')).toHaveLength(1)
    expect(step(timeline, 'docker.service')).toMatchObject({ status: 'restarted', detail: 'stopped and started again' })
  })

  test('a phase that never ended', () => {
    const { title } = timeline.findings.find(({ id }) => id === 'never-ended')!
    expect(title).toMatch(
      inputs.live
        ? /^pull-images \(phase\) began at \+10\.30 s and has not ended: modules-final\/config-scripts-user, which ran it, did at \+10\.35 s\.$/
        : /^pull-images \(phase\) began at \+10\.30 s and never ended: the boot was over 4\.\d s later/,
    )
    expect(step(timeline, 'pull-images')).toMatchObject({ status: 'never-ended', endedMs: null })
  })

  test('nothing else is said', () => {
    expect(timeline.findings).toHaveLength(4)
    expect(timeline.clockSteps).toEqual([])
    expect(timeline.gaps).toEqual([])
  })

  test('phases lie in the script that ran them, its module in its stage, that in its unit', () => {
    expect(step(timeline, 'install-agent')).toMatchObject({
      parent: 'modules-final/config-scripts-user',
      status: 'done',
    })
    expect(step(timeline, 'modules-final/config-scripts-user')?.parent).toBe('cloud-init modules-final')
    expect(step(timeline, 'cloud-init modules-final')?.parent).toBe('cloud-final.service')
  })
})

test('a boot that has ended is over; the shutdown stops everything, and takes nothing down', () => {
  const later = { ...recordedBoot('first-boot'), live: false, journal: bootFile('first-boot', 'journal-later.json') }
  expect(bootTimeline(later).state).toBe('over')
  const { steps } = bootTimeline(later)
  expect(steps.every(({ startedMs }) => startedMs < 12_000)).toBe(true)
})

test('without knowing who requires whom, the same moment tells of Docker', () => {
  const { units: _, ...inputs } = { ...recordedBoot('first-boot'), live: false }
  const { title } = bootTimeline(inputs).findings.find(({ id }) => id === 'restart-took-down')!
  expect(title).toMatch(
    /^The restart of docker\.service .* took down docker-watch\.service, app\.service and web\.service;/,
  )
})

test('a dependent that does not come back has a step that says so', () => {
  const { journal = '', ...inputs } = recordedBoot('first-boot')
  const lines = journal.split('\n')
  const restart = lines.findLastIndex((line) => line.includes('"MESSAGE": "Started app.service'))
  const timeline = bootTimeline({ ...inputs, live: false, journal: lines.toSpliced(restart, 1).join('\n') })
  expect(titles(timeline)).toContainEqual(expect.stringContaining('; app.service did not come back.'))
  expect(timeline.steps).toContainEqual(
    expect.objectContaining({
      name: 'app.service',
      status: 'failed',
      endedMs: null,
      detail: 'stopped with docker.service, not started again',
    }),
  )
})

test('minutes of silence waiting for the network', () => {
  const timeline = bootTimeline(recordedBoot('slow-network'))
  expect(titles(timeline)).toEqual([
    '1 min 15 s of silence: systemd-networkd-wait-online.service waited for the network from +1.66 s to +76.92 s, and then failed (exit status 1).',
  ])
  expect(timeline.gaps).toMatchObject([{ waitedFor: ['systemd-networkd-wait-online.service'] }])
  expect(Math.round(timeline.gaps[0]!.durationMs / 1000)).toBe(75)
})

test('a unit that never ends: a boot that hangs, and one that was cut', () => {
  const inputs = recordedBoot('hanging')
  const soon = bootTimeline(inputs)
  expect(soon.state).toBe('starting')
  expect(step(soon, 'hang.service')).toMatchObject({ status: 'running', endedMs: null })
  expect(soon.findings).toEqual([])

  const hourMs = 3_600_000
  const last = { wallMs: inputs.last.wallMs + hourMs, monotonicMs: inputs.last.monotonicMs + hourMs }
  expect(titles(bootTimeline({ ...inputs, last }))).toEqual([
    'hang.service (systemd) began at +0.80 s and has not ended 1 h 00 min later.',
  ])

  const cut = bootTimeline({ ...inputs, live: false })
  expect(cut.state).toBe('cut')
  expect(step(cut, 'hang.service')?.status).toBe('never-ended')
  expect(titles(cut)).toContainEqual(expect.stringMatching(/^hang\.service \(systemd\) began at .* and never ended/))
})

describe('what is no such disaster, and what is', () => {
  const phase = (name: string, fromMs: number, toMs: number) =>
    journalLine(fromMs, undefined, { MESSAGE: `PHASE START: ${name}` }) +
    journalLine(toMs, undefined, { MESSAGE: `PHASE END: ${name}` })
  const END = journalLine(95_000, 'startupFinished', { KERNEL_USEC: '1000000', USERSPACE_USEC: '94000000' })
  const failing = (UNIT: string, atMs: readonly number[], status = '1') =>
    atMs
      .flatMap((ms) => [
        journalLine(ms, 'started', { UNIT }),
        journalLine(ms + 100, 'processExited', { UNIT, EXIT_CODE: 'exited', EXIT_STATUS: status }),
        journalLine(ms + 100, 'unitFailed', { UNIT, UNIT_RESULT: 'exit-code' }),
      ])
      .join('')
  const found = (...journal: string[]) =>
    bootTimeline({ bootId: 'b', live: false, journal: [...journal, END].join('') })

  test('a unit that fails once while something is installed', () => {
    const timeline = found(phase('install-agent', 2000, 9000), failing('agent.service', [3000]))
    expect(timeline.findings).toEqual([])
    expect(step(timeline, 'agent.service')).toMatchObject({ status: 'failed', detail: 'exit status 1' })
  })

  test('three times, for whatever reason: of the step that is named like it', () => {
    const phases = [phase('install-docker', 2000, 20_000), phase('agent', 2500, 30_000)]
    expect(titles(found(...phases, failing('my-agent.service', [3000, 4000, 5000])))).toEqual([
      expect.stringMatching(
        /^my-agent\.service was .* before agent \(phase, ended at \+30\.00 s\) .* 3 starts failed \(exit status 1\)/,
      ),
    ])
    // Nothing speaks for any of the steps.
    expect(found(...phases, failing('backup.service', [3000, 4000, 5000])).findings).toEqual([])
    expect(found(...phases, failing('my-agent.service', [31_000, 32_000, 33_000])).findings).toEqual([])
  })

  test('of several steps the one after whose end it came up', () => {
    const phases = [phase('fetch', 2000, 20_000), phase('unpack', 20_000, 40_000), phase('more', 41_000, 50_000)]
    const up = journalLine(40_500, 'started', { UNIT: 'x.service' })
    expect(titles(found(...phases, failing('x.service', [3000], '203'), up))).toEqual([
      expect.stringContaining('before unpack (phase, ended at +40.00 s)'),
    ])
  })

  test('silence of less than half a minute, and silence for another reason', () => {
    const wait = (UNIT: string, toMs: number) =>
      journalLine(10_000, 'starting', { UNIT }) + journalLine(toMs, 'started', { UNIT })
    expect(titles(found(wait('NetworkManager-wait-online.service', 39_000)))).toEqual([])
    expect(titles(found(wait('NetworkManager-wait-online.service', 41_000)))).toEqual([
      '31.0 s of silence: NetworkManager-wait-online.service waited for the network from +10.00 s to +41.00 s.',
    ])
    const fsck = found(wait('systemd-fsck@sda.service', 90_000))
    expect(fsck.findings).toEqual([])
    expect(fsck.gaps[0]?.waitedFor).toEqual(['systemd-fsck@sda.service'])
  })

  describe('a restart after which something stays down', () => {
    const at = (ms: number, kind: Parameters<typeof journalLine>[1], UNIT: string, fields = {}) =>
      journalLine(ms, kind, { UNIT, ...fields })
    const units = 'Id=web.service\nRequires=docker.service\n\nId=docker.service\n'
    const wentDown = [
      at(1000, 'started', 'docker.service'),
      at(2000, 'started', 'web.service'),
      at(5000, 'stopping', 'web.service'),
      // docker run, told to end.
      at(5100, 'processExited', 'web.service', { EXIT_CODE: 'exited', EXIT_STATUS: '143' }),
      at(5100, 'unitFailed', 'web.service', { UNIT_RESULT: 'exit-code' }),
      at(5101, 'stopped', 'web.service'),
      at(5200, 'stopping', 'docker.service'),
      at(5300, 'stopped', 'docker.service'),
    ]
    const cameUp = [at(6000, 'started', 'docker.service'), at(6001, 'started', 'web.service')]
    const told = (...journal: string[]) =>
      bootTimeline({ bootId: 'b', live: false, units, journal: [...wentDown, ...journal, END].join('') })

    test('up for a moment is not up; to end when told to is no failure', () => {
      const failed = [
        at(6050, 'processExited', 'web.service', { EXIT_CODE: 'exited', EXIT_STATUS: '125' }),
        at(6050, 'unitFailed', 'web.service', { UNIT_RESULT: 'exit-code' }),
      ]
      const timeline = told(...cameUp, ...failed)
      expect(titles(timeline)).toEqual([
        'The restart of docker.service at +5.20 s took down web.service (Requires=); web.service (exit status 125) did not come back.',
      ])
      expect(timeline.steps.filter(({ name }) => name === 'web.service')).toMatchObject([
        { status: 'done', startedMs: 2000 },
        { status: 'failed', startedMs: 5000, endedMs: 6050, detail: 'stopped and started again: exit status 125' },
      ])
    })

    test('up for a while, it was up', () => {
      const crash = at(60_000, 'unitFailed', 'web.service', { UNIT_RESULT: 'signal' })
      expect(titles(told(...cameUp, crash))).toEqual([
        expect.stringContaining('(Requires=); everything was up again at +6.00 s.'),
      ])
    })

    test('the one that was restarted fails, and those that need it', () => {
      const failed = [
        at(6000, 'starting', 'docker.service'),
        at(6100, 'processExited', 'docker.service', { EXIT_CODE: 'exited', EXIT_STATUS: '1' }),
        at(6100, 'unitFailed', 'docker.service', { UNIT_RESULT: 'exit-code' }),
        at(6101, 'startFailed', 'web.service', { JOB_RESULT: 'dependency' }),
      ]
      expect(titles(told(...failed))).toEqual([
        'The restart of docker.service at +5.20 s took down web.service (Requires=); docker.service (exit status 1) and ' +
          'web.service (dependency) did not come back.',
      ])
    })
  })

  test('what fails again and again keeps nobody waiting', () => {
    const wait = [
      journalLine(10_000, 'starting', { UNIT: 'ifup@eth0.service' }),
      journalLine(80_000, 'started', { UNIT: 'ifup@eth0.service' }),
    ]
    const loop = failing('agent.service', [9000, 20_000, 30_000, 81_000])
    expect(found(...wait, loop).gaps[0]?.waitedFor).toEqual(['ifup@eth0.service'])
  })
})
