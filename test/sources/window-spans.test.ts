import { expect, test } from 'vitest'
import { lineTimes } from '../../src/sources/log-times.ts'
import { windowSpans, type Log } from '../../src/sources/window-spans.ts'

const start = Date.parse('2026-11-20T00:00:00Z')
const at = (second: number) => start + second * 1000
const line = (second: number, more = '') => `${new Date(at(second)).toISOString()} second ${second}${more}\n`
const interval = (from: number, to: number) => ({ sinceMs: at(from), untilMs: at(to), reason: 'window' })

function log(text: string, mtimeSecond: number): Log & { readonly readBytes: () => number } {
  const bytes = Buffer.from(text)
  let readBytes = 0
  const readAt = (position: number, length: number) => {
    const part = bytes.subarray(position, position + length)
    readBytes += part.length
    return Promise.resolve(part)
  }
  const mtimeMs = at(mtimeSecond)
  const lineTime = lineTimes({ timeZone: 'UTC', mtimeMs })
  return { readAt, sizeBytes: bytes.length, mtimeMs, lineTime, readBytes: () => readBytes }
}

async function inside(text: string, mtimeSecond: number, ...intervals: readonly ReturnType<typeof interval>[]) {
  const spans = await windowSpans(log(text, mtimeSecond), intervals)
  return spans?.map(({ from, to }) => Buffer.from(text).subarray(from, to).toString())
}

function range(from: number, to: number, more = ''): string {
  return Array.from({ length: to - from }, (_, index) => line(from + index, more)).join('')
}

test.each([1, 10, 1000, 30_000])('of %d lines exactly those in the window are found', async (count) => {
  const text = range(0, count)
  for (const [from, to] of [
    [0, 0],
    [0, count],
    [Math.floor(count / 3), Math.floor(count / 2)],
    [count - 1, count + 5],
  ] as const) {
    expect(await inside(text, count, interval(from, to))).toEqual([range(from, Math.min(to + 1, count))])
  }
})

test('a large log is searched, not read', async () => {
  const text = range(0, 300_000, ' of something that fills the line up to an ordinary length')
  const source = log(text, 300_000)
  const spans = await windowSpans(source, [interval(200_000, 200_010)])
  expect(spans?.map(({ from, to }) => text.slice(from, to))).toEqual([
    range(200_000, 200_011, ' of something that fills the line up to an ordinary length'),
  ])
  expect(source.readBytes()).toBeLessThan(text.length / 4)
})

test('lines without a time belong to the line before', async () => {
  const text = `${line(1)}  trace 1\n${line(2)}  trace 2\n\n${line(3)}  trace 3\n`
  expect(await inside(text, 10, interval(2, 2))).toEqual([`${line(2)}  trace 2\n\n`])
})

test('what stands before the first time goes with it', async () => {
  expect(await inside(`header\n${line(1)}${line(5)}`, 10, interval(1, 2))).toEqual([`header\n${line(1)}`])
})

test('spans that touch are one, the others stay apart', async () => {
  const text = range(0, 100)
  expect(await inside(text, 200, interval(10, 20), interval(15, 30), interval(50, 60))).toEqual([
    range(10, 31),
    range(50, 61),
  ])
})

test('a log with no time in its first 64 KiB tells nothing', async () => {
  expect(await inside(`${'x'.repeat(99)}\n`.repeat(700) + line(1), 10, interval(0, 10))).toBeUndefined()
})

test('a log written in the window whose times say otherwise tells nothing', async () => {
  expect(await inside(range(0, 10), 500, interval(400, 600))).toBeUndefined()
})

test('a log with nothing in the window has no spans', async () => {
  expect(await inside(range(0, 10) + range(100, 110), 200, interval(50, 60))).toEqual([])
})

test('where the clock was set back, too much is taken rather than too little', async () => {
  // From 40 000 the clock jumps back by 20 000: the span of the window exists twice.
  const text = range(0, 40_000) + range(20_000, 50_000)
  const [span = ''] = (await inside(text, 50_000, interval(30_000, 31_000))) ?? []
  expect(span).toContain(line(30_000))
  expect(span).toContain(line(39_999) + line(20_000))
  expect(span.endsWith(line(31_000))).toBe(true)
})

test('the end of a log that is still written is in, whatever its last lines bear', async () => {
  const text = `${range(0, 5000)}${line(1)}last\n`
  const [span = ''] = (await inside(text, 6000, interval(4000, 7000))) ?? []
  expect(span.startsWith(line(4000))).toBe(true)
  expect(span.endsWith(`${line(1)}last\n`)).toBe(true)
})

test('very long lines and traces do not mislead the search', async () => {
  const long = ` ${'y'.repeat(300_000)}`
  const text = range(0, 20, long) + range(20, 40, `\n${'  trace\n'.repeat(20_000)}`)
  expect(await inside(text, 50, interval(10, 30))).toEqual([
    range(10, 20, long) + range(20, 31, `\n${'  trace\n'.repeat(20_000)}`),
  ])
})

test('whole seconds in a log are not lost to the milliseconds of the window', async () => {
  const text = 'Nov 20 00:00:05 h a\nNov 20 00:00:06 h b\n'
  expect(await inside(text, 10, { ...interval(0, 5), sinceMs: at(5) + 700, untilMs: at(5) + 900 })).toEqual([
    'Nov 20 00:00:05 h a\n',
  ])
})
