import { expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { cloudInitRuns } from '../../../../collectors/lib/boot-timeline/cloud-init.ts'
import { bootFile, recordedBoot } from '../../../helpers/boot.ts'

const UBUNTU = bootFile('ubuntu', 'cloud-init.log')
/** 08:15:00 on the machine's clock when its kernel started, less 0.8 s. */
const NOW = { wallMs: Date.UTC(2026, 2, 2, 8, 16), monotonicMs: 60_800 }

test('of a log of many boots those of this one', () => {
  const runs = cloudInitRuns(bootFile('slow-network', 'cloud-init.log'))
  expect(runs).toHaveLength(2)
  const steps = bootTimeline(recordedBoot('slow-network')).steps.filter(({ source }) => source === 'cloud-init')
  expect(steps.filter(({ name }) => name === 'cloud-init init-local')).toHaveLength(1)
  expect(steps.every(({ startedMs }) => startedMs > 0)).toBe(true)
})

test('a stage that failed, and the module for which it did', () => {
  const { steps } = bootTimeline(recordedBoot('slow-network'))
  const failed = steps.filter(({ status, source }) => status === 'failed' && source === 'cloud-init')
  expect(failed.map(({ name }) => name)).toEqual(['cloud-init modules-final', 'modules-final/config-scripts-per-boot'])
})

test('of Ubuntu, without a journal: placed by what it says of its uptime', () => {
  const timeline = bootTimeline({ bootId: 'b', live: true, last: NOW, cloudInit: UBUNTU })
  const step = (name: string) => timeline.steps.find((each) => each.name === name)
  expect(step('init-local/search-Ec2Local')).toMatchObject({
    startedAt: '2026-03-02T08:15:03.430Z',
    status: 'done',
    parent: 'cloud-init init-local',
  })
  expect(step('init-local/search-Ec2Local')!.startedMs).toBeCloseTo(4228, 0)
  expect(step('modules-final/config-package_update_upgrade_install')).toMatchObject({
    status: 'failed',
    durationMs: 40_012,
    detail: 'FAIL: running config-package_update_upgrade_install with frequency once-per-instance',
  })
  expect(step('modules-final/config-scripts_user')).toMatchObject({ status: 'running', endedMs: null })
  expect(step('cloud-init modules-final')).toMatchObject({ status: 'running', endedMs: null })
})

test('an old log is of another boot', () => {
  const last = { wallMs: NOW.wallMs + 86_400_000, monotonicMs: NOW.monotonicMs }
  expect(bootTimeline({ bootId: 'b', live: true, last, cloudInit: UBUNTU }).steps).toEqual([])
  // It came with the image, and its time is one at which this boot was running for days.
  const days = { wallMs: NOW.wallMs + 5 * 86_400_000, monotonicMs: 10 * 86_400_000 }
  expect(bootTimeline({ bootId: 'b', live: true, last: days, cloudInit: UBUNTU }).steps).toEqual([])
})

test('through syslog: no year, the host and a tag before it', () => {
  const log = [
    "Nov 03 06:51:06.074410 web-1 cloud-init[106]: [CLOUDINIT] util.py[DEBUG]: Cloud-init v. 0.7.8 running 'init-local' at Thu, 03 Nov 2016 06:51:06 +0000. Up 1.0 seconds.",
    'Nov 03 06:51:06.500000 web-1 cloud-init[106]: [CLOUDINIT] handlers.py[DEBUG]: finish: init-local: WARN: searching for local datasources',
  ].join('\n')
  const [run] = cloudInitRuns(log)
  expect(run?.startedWallMs).toBe(Date.UTC(2016, 10, 3, 6, 51, 6, 74))
  expect(run?.records[1]).toMatchObject({ kind: 'finish', name: 'init-local', result: 'WARN' })
})
