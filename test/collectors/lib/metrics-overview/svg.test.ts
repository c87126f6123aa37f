import { expect, test } from 'vitest'
import { overviewOf } from '../../../../collectors/lib/metrics-overview/overview.ts'
import { overviewSvg } from '../../../../collectors/lib/metrics-overview/svg.ts'
import { BROKEN, FILLED, HOGGED, HOUR, IDLE, kitOf, MINUTE, NEW, NOON, NOTHING, STORMY, type Day } from './days.ts'

const drawn = async (day: Day) => overviewSvg(await overviewOf(kitOf(day)))

/** Texts with their place and class, in the order of the picture. */
function textsOf(svg: string) {
  return [...svg.matchAll(/<text class="([^"]*)" x="([^"]+)" y="([^"]+)">(.*?)<\/text>/g)].map(
    ([, kind, x, y, text]) => ({
      kind: kind!,
      x: Number(x),
      y: Number(y),
      text: text!.replaceAll(/<[^>]*>/g, ''),
    }),
  )
}

const remarks = (svg: string) => textsOf(svg).flatMap(({ kind, text }) => (kind.startsWith('remark') ? [text] : []))
const marks = (svg: string) => textsOf(svg).filter(({ kind }) => kind.startsWith('m '))
const panel = (svg: string, id: string) => svg.split(`<g id="${id}">`)[1]!.split('</g>\n')[0]!
/** Where red begins behind any panel. */
const hot = (svg: string) =>
  [...svg.matchAll(/<path class="hot" d="([^"]+)"/g)].flatMap(([, d]) =>
    [...d!.matchAll(/M(\d+) /g)].map(([, at]) => Number(at)),
  )

/** Of the plot, in the picture. */
const [LEFT, WIDTH] = [218, 960]
const x = (timeMs: number, hours = 24) => LEFT + WIDTH * (1 - (NOON - timeMs) / (hours * HOUR))

test('on an idle day nothing stands out, and every panel has its line', async () => {
  const svg = await drawn(IDLE)
  expect(remarks(svg)).toEqual(['✓  Nothing stood out.'])
  expect([...svg.matchAll(/<g id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
    'cpu',
    'load',
    'memory',
    'pressure',
    'space',
    'disk-io',
    'disk-wait',
    'network',
  ])
  expect(hot(svg)).toEqual([])
  for (const id of ['load', 'pressure', 'space', 'disk-io', 'disk-wait', 'network'])
    expect(panel(svg, id)).toMatch(/<path class="line" stroke="#\w+" d="M218 [\d.]+h/)
})

test('a memory hog: what, when, for how long and which process; the time is red where it shows', async () => {
  const svg = await drawn(HOGGED)
  expect(remarks(svg)).toEqual(
    expect.arrayContaining([
      '▲  Out of memory in container worker: 6 processes were killed, the last at 11:57',
      '▲  Memory in use: 99 % at 07:18, over 95 % for 6 min. Largest then: java (4711) 6.1 GiB',
      '▲  Container worker, throttled: 60 % at 10:00, over 25 % for 2 h, and still',
    ]),
  )
  expect(hot(svg)).toContain(Math.round(x(NOON - 5 * HOUR + 18 * MINUTE)))
  expect(marks(svg).map(({ text }) => text)).toEqual(expect.arrayContaining(['OOM kill java', 'OOM kill python3 ×6']))
  expect(panel(svg, 'container-memory').match(/<title>worker: 1 OOM kills<\/title>/g)).toHaveLength(6)
})

test('a line goes through all panels where something happened', async () => {
  const svg = await drawn(HOGGED)
  const lines = [...svg.matchAll(/<path class="v critical" d="([^"]*)">/g)].map(([, d]) => d!)
  const [, left, from, to] = /^M([\d.]+) ([\d.]+)V([\d.]+)$/.exec(
    lines.find((d) => !d.includes('VM') && d.match(/M/g)!.length === 1)!,
  )!
  expect(Number(left)).toBe(Math.round(x(NOON - 5 * HOUR + 25 * MINUTE)))
  const frames = [...svg.matchAll(/<rect class="frame" x="[^"]+" y="([^"]+)" width="[^"]+" height="([^"]+)"/g)]
  expect(Number(from)).toBeLessThan(Number(frames[0]![1]))
  expect(Number(to)).toBe(Number(frames.at(-1)![1]) + Number(frames.at(-1)![2]))
})

test('a disk that is full is said, with since when', async () => {
  const svg = await drawn(FILLED)
  expect(remarks(svg)[0]).toBe('▲  Disk /data, space used: 100 % at 09:00, over 95 % for 3 h 24 min, and still')
  expect(marks(svg).map(({ text }) => text)).toEqual(['disk full postgresql.service ×8'])
})

test('suspends, reboots and times without diagd are grey in every panel, with their reason', async () => {
  const svg = await drawn(BROKEN)
  const gaps = [
    ...svg.matchAll(/<rect class="gap" x="([^"]+)" y="([^"]+)" width="([^"]+)" height="[^"]+"><title>(.*?)<\/title>/g),
  ]
  const reasons = Map.groupBy(gaps, ([, , , , reason]) => reason!)
  expect([...reasons].map(([reason, all]) => [reason, all.length])).toEqual([
    ['suspended 5 h', 1],
    ['diagd not running 40 min', 1],
    ['rebooted 6 min', 2],
  ])
  const [, left, , width] = reasons.get('suspended 5 h')![0]!
  expect(Number(left)).toBeCloseTo(x(NOON - 20 * HOUR), 0)
  expect(Number(width)).toBeCloseTo((WIDTH / 24) * 5, 0)
  expect(remarks(svg)).toEqual([
    '●  Clock: set back 20 min at 22:40',
    '●  No numbers: suspended 5 h, 16:00 to 21:00; diagd not running 40 min, 10:00 to 10:40',
    '●  Booted: after 6 min at 08:00; after 6 min at 03:00',
    '●  Errors: end without a word, 07:54; failed docker.service, 08:02; not started app.service, 08:02',
  ])
  // No line is drawn where nothing was measured.
  for (const [, d] of panel(svg, 'load').matchAll(/<path class="line" stroke="#4e79a7" d="([^"]*)"/g))
    expect(d!.match(/M/g)).toHaveLength(5)
})

test('one hour only: from where measuring began, in the steps of the samples', async () => {
  const svg = await drawn(NEW)
  expect(textsOf(svg)[0]!.text).toBe('node-1: 55 min until 2026-06-15 12:00 UTC')
  expect(textsOf(svg)[1]!.text).toContain('steps of 10 s')
  expect(remarks(svg)).toEqual([
    '▲  CPU taken for other machines (steal): 50 % at 11:41, over 10 % for 20 min, and still',
  ])
  expect(svg).not.toContain('class="gap"')
})

test('without any data it says so, and draws nothing', async () => {
  const svg = await drawn(NOTHING)
  expect(remarks(svg)).toContain('Nothing was measured in this time.')
  expect(svg).not.toMatch(/<g id=|class="frame"/)
})

test('a machine that tells no pressure says so in that panel', async () => {
  const [machine, ...others] = IDLE.sampled
  const at = (timeMs: number) => {
    const columns = machine!.at(timeMs)!
    return Object.fromEntries(Object.entries(columns).filter(([name]) => !name.startsWith('pressure')))
  }
  const svg = await drawn({ sampled: [{ ...machine!, at }, ...others] })
  expect(panel(svg, 'pressure')).toContain('the kernel does not tell (no /proc/pressure)')
})

test('whatever comes, the picture stays below 300 kB', async () => {
  const svg = await drawn(STORMY)
  expect(Buffer.byteLength(svg)).toBeLessThan(300_000)
  expect(svg).toMatch(/Without a name here, for want of room: \d+\. events\/recent\.txt has all\./)
})

test('names and messages of the machine cannot become a part of it', async () => {
  const svg = await drawn(STORMY)
  expect(svg).not.toMatch(/<(?:script|b|i)\b/)
  expect(svg).toContain('&lt;script&gt;alert(')
  expect(svg).not.toMatch(/<script|javascript:|href=|url\((?!#)|@import|on\w+="/)
})

test('no name lies on another', async () => {
  for (const day of [HOGGED, FILLED, BROKEN, STORMY]) {
    const boxes = marks(await drawn(day)).map(({ x: from, y, text }) => ({ from, to: from + text.length * 6, y }))
    const clashes = boxes.flatMap((one, at) =>
      boxes.slice(at + 1).filter((other) => other.y === one.y && other.from < one.to && one.from < other.to),
    )
    expect(clashes).toEqual([])
  }
})
