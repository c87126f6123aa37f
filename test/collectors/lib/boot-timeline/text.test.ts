import { describe, expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { fitted } from '../../../../collectors/lib/boot-timeline/fitted.ts'
import { since, span } from '../../../../collectors/lib/boot-timeline/say.ts'
import { timelineText } from '../../../../collectors/lib/boot-timeline/text.ts'
import { journalLine, recordedBoot } from '../../../helpers/boot.ts'

const lineOf = (text: string, begin: string) => text.split('\n').find((line) => line.trimStart().startsWith(begin))

test('what went wrong stands first, then every step that took time, then the sums', () => {
  const text = timelineText(bootTimeline(recordedBoot('first-boot')))
  const order = [
    'Boot e6827f09',
    '! agent.service',
    '! pull-images',
    'step ',
    'agent.service  ',
    'steps  ',
    'sum  ',
    'wall clock  ',
  ]
  const places = order.map((words) => text.indexOf(`\n${words}`))
  expect(places.slice(1)).toEqual(places.slice(1).toSorted((a, b) => a - b))
  expect(places.slice(1)).not.toContain(-1)
  expect(lineOf(text, 'agent.service  ')).toMatch(
    /^agent\.service +RESTARTED +\+2\.66 s +\+8\.95 s +6\.3 s +16:47:00\.460$/,
  )
  expect(lineOf(text, 'phase: pull-images')).toMatch(/NEVER ENDED +\+10\.30 s +- +- +16:47:08\.092$/)
  expect(text).toContain('… and 83 steps of less than 100 ms: timeline.json has them')
  expect(text).toContain('sum         21.3 s of all steps that are not a part of another one, 1.9 at work at a time')
  expect(text).toContain('wall clock  11.0 s')
})

test('parts stand below what they are a part of', () => {
  const text = timelineText(bootTimeline(recordedBoot('first-boot')))
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith('cloud-final.service'))
  expect(lines.slice(at + 1, at + 4).map((line) => /^ +\S+(?: \S+)*/.exec(line)?.[0])).toEqual([
    '  cloud-init modules-final',
    '    modules-final/config-scripts-user',
    '      phase: install-agent',
  ])
})

test.each(['first-boot', 'slow-network', 'hanging'])('%s: no line is wider than 120 columns', (name) => {
  const wide = timelineText(bootTimeline(recordedBoot(name)))
    .split('\n')
    .filter((line) => line.length > 120)
  expect(wide).toEqual([])
})

test('names that are long or want to be more than a name stay in their column', () => {
  const UNIT = `${'x'.repeat(300)}\nfake-row-done\u001b[31m.service`
  const journal = [
    journalLine(1000, 'starting', { UNIT }),
    journalLine(9000, 'startFailed', { UNIT, JOB_RESULT: `y\n${'z'.repeat(500)} and so on` }),
    journalLine(9500, 'startupFinished', { KERNEL_USEC: '1000000', USERSPACE_USEC: '8500000' }),
  ]
  const text = timelineText(bootTimeline({ bootId: 'b', live: false, journal: journal.join('') }))
  expect(text).not.toMatch(/\u001b|^fake/m)
  expect(text.split('\n').filter((line) => line.length > 120)).toEqual([])
  expect(text).toMatch(/^x+…\S+\.service +FAILED +\+1\.00 s +\+9\.00 s +8\.0 s/m)
  expect(text).toContain('\n    … and so on\n')
})

test('of words those that fit, each whole: the mask knows no half of a secret', () => {
  expect(fitted('login with 0123456789', 21)).toBe('login with 0123456789')
  expect(fitted('login with 0123456789', 20)).toBe('login with …')
  expect(fitted('0123456789 0123456789', 8)).toBe('…')
  expect(fitted('0123456789', 8)).toBe('01234…89')
})

test('of dozens of findings the first: the table is not to be hidden', () => {
  const phases = Array.from({ length: 30 }, (_, at) =>
    journalLine(1000 + at, undefined, { MESSAGE: `PHASE START: p${at}` }),
  )
  const text = timelineText(bootTimeline({ bootId: 'b', live: false, journal: phases.join('') }))
  expect(text.match(/^! .*/gm)).toHaveLength(13)
  expect(text).toContain('! … and 18 more of them: timeline.json')
})

test('nothing to read: every source says why', () => {
  const timeline = bootTimeline({ bootId: 'b', live: true, absent: { journal: 'the whole journal needs root' } })
  const text = timelineText(timeline)
  expect(timeline.steps).toEqual([])
  expect(text).toContain('from an unknown time')
  expect(text).toContain('  journal     the whole journal needs root')
  expect(text).toContain('  provision   nothing was reported')
})

describe('times', () => {
  test.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [59_940, '59.9 s'],
    [59_960, '1 min 00 s'],
    [3_599_400, '59 min 59 s'],
    [3_600_000, '1 h 00 min'],
    [200_000_000, '2 d 7 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(span(ms)).toBe(text)
  })

  test('since the start, also before it: firmware', () => {
    expect([since(12_345), since(-1500), since(3_723_000)]).toEqual(['+12.35 s', '-1.50 s', '+1:02:03'])
  })
})

test('what the kernel, systemd and cloud-init name says what it is; of others it is said', () => {
  const journal =
    journalLine(1000, 'startupFinished', { KERNEL_USEC: '900000', USERSPACE_USEC: '100000' }) +
    journalLine(950, undefined, { MESSAGE: 'PHASE START: kernel' })
  const text = timelineText(bootTimeline({ bootId: 'b', live: false, journal }))
  expect(lineOf(text, 'kernel  ')).toMatch(/^kernel +done +\+0\.00 s +\+0\.90 s/)
  expect(lineOf(text, 'phase: kernel')).toContain('NEVER ENDED')
})

test('where neither systemd nor a journal tells, nothing is claimed', () => {
  const last = { wallMs: 1_700_000_000_000, monotonicMs: 36_000_000 }
  const timeline = bootTimeline({ bootId: 'e6827f09'.repeat(4), live: true, last })
  expect(timeline).toMatchObject({ state: 'unknown', gaps: [], findings: [] })
  expect(timelineText(timeline)).toContain('Nothing tells of the steps of this boot.')
})
