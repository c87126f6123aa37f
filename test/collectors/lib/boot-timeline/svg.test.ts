import { expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { axisStepMs, tickLabel } from '../../../../collectors/lib/boot-timeline/svg-axis.ts'
import { timelineSvg } from '../../../../collectors/lib/boot-timeline/svg.ts'
import { journalLine, recordedBoot } from '../../../helpers/boot.ts'

interface Bar {
  readonly className: string
  readonly x: number
  readonly width: number
}

/** By the name in the text behind the pointer. */
function barsOf(svg: string, name: string): Bar[] {
  const pattern =
    /<g class="([\w -]+)"><title>([^<]*?) \([\w-]+\): [^<]*<\/title><rect class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)"/g
  return [...svg.matchAll(pattern)]
    .filter(([, , title]) => title === name)
    .map(([, className, , x, width]) => ({ className: className!, x: Number(x), width: Number(width) }))
}

test('bars lie where and are as long as their steps', () => {
  const timeline = bootTimeline(recordedBoot('first-boot'))
  const svg = timelineSvg(timeline)
  const [install] = barsOf(svg, 'install-agent')
  const [restart] = barsOf(svg, 'docker-config')
  expect(install!.x + install!.width).toBeCloseTo(restart!.x, 0)
  const chartPx = 1280 - 330 - 130
  expect(install!.width).toBeCloseTo((4020 / timeline.wallClockMs) * chartPx, 0)
  expect(barsOf(svg, 'agent.service')).toMatchObject([{ className: 'systemd restarted' }])
  expect(barsOf(svg, 'docker.service').map(({ className }) => className)).toEqual(['systemd done', 'systemd restarted'])
  expect(barsOf(svg, 'pull-images')).toMatchObject([{ className: 'phase never-ended' }])
})

test('the findings stand on it, and silence is seen', () => {
  const svg = timelineSvg(bootTimeline(recordedBoot('slow-network')))
  expect(svg).toContain('▲ 1 min 15 s of silence: systemd-networkd-wait-online.service')
  const [wait] = barsOf(svg, 'systemd-networkd-wait-online.service')
  const [, x, width] = /<rect class="gap" x="([\d.]+)" y="\d+" width="([\d.]+)"/.exec(svg) ?? []
  expect(wait).toMatchObject({ className: 'systemd failed', x: Number(x) })
  expect(wait!.width).toBeCloseTo(Number(width), 0)
})

test('how long a bar that ends at the margin took stands on it', () => {
  const lines = [
    journalLine(1000, 'starting', { UNIT: 'a.service' }),
    journalLine(900_000, 'startFailed', { UNIT: 'a.service', JOB_RESULT: 'timeout' }),
  ]
  const svg = timelineSvg(bootTimeline({ bootId: 'b', live: false, journal: lines.join('') }))
  expect(svg).toMatch(/<text class="within" [^>]*>✕ failed 14 min 59 s<\/text>/)
})

test('names cannot be markup, and the picture asks for nothing from elsewhere', () => {
  const UNIT = '"><script>alert(1)</script><image href="http://example.org/\'&amp;\u0001\ud800.service'
  const journal = [
    journalLine(1000, 'starting', { UNIT }),
    journalLine(9000, 'startFailed', { UNIT, JOB_RESULT: '</title><script>' }),
    journalLine(9500, undefined, { MESSAGE: 'PHASE START: </svg>' }),
  ]
  const svg = timelineSvg(bootTimeline({ bootId: '</title>', live: false, journal: journal.join('') }))
  const tags = new Set([...svg.matchAll(/<\/?([^\s>/]*)/g)].map(([, tag]) => tag))
  expect(tags).toEqual(new Set(['defs', 'g', 'path', 'pattern', 'rect', 'style', 'svg', 'text', 'title']))
  expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)|[\u0000-\u0008\u000b-\u001f]/)
  expect(svg.isWellFormed()).toBe(true)
  expect(svg).not.toMatch(/<[^>]*(?:href|src|@import|on\w+=)/)
  for (const [, tag] of svg.matchAll(/<(g|text|title|style|defs|pattern|svg)[ >]/g)) {
    const count = (pattern: string) => svg.split(new RegExp(pattern)).length
    expect(count(`<${tag}[ >]`)).toBe(count(`</${tag}>`))
  }
})

test('a boot of which nothing is known is a picture that says so', () => {
  const svg = timelineSvg(bootTimeline({ bootId: 'b', live: true }))
  expect(svg).toContain('Boot of an unknown time: 0 ms')
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
})

test.each([
  [10_000, 2000, '2 s'],
  [100_000, 20_000, '20 s'],
  [600_000, 120_000, '2:00'],
  [36_000_000, 7_200_000, '2:00:00'],
  [10_000_000_000, 1_123_200_000, '312:00:00'],
])('an axis of %d ms has a mark every %d ms, the first is %s', (totalMs, stepMs, label) => {
  expect(axisStepMs(totalMs)).toBe(stepMs)
  expect(tickLabel(stepMs)).toBe(label)
})
