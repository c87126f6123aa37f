import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Chunks } from '../../src/sources/chunks.ts'
import { headAndTail } from '../../src/sources/head-and-tail.ts'
import type { SourceEnd } from '../../src/sources/source.ts'

/** A log that can be asked like journalctl or an engine, counting what is read of it. */
class FakeLog {
  readonly #lines: readonly string[]
  readBytes = 0
  open = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  head = (): Chunks => this.#stream(this.#lines)
  tail = (lines: number): Chunks => this.#stream(this.#lines.slice(-lines))

  async *#stream(lines: readonly string[]): Chunks {
    this.open++
    try {
      const bytes = Buffer.from(lines.join(''))
      for (let at = 0; at < bytes.length; at += 1000) {
        const chunk = bytes.subarray(at, at + 1000)
        this.readBytes += chunk.length
        yield chunk
      }
      return { outcome: 'ok' }
    } finally {
      this.open--
    }
  }
}

async function read(log: FakeLog, entryBytes: number, headBytes: number): Promise<{ text: string; end: SourceEnd }> {
  const chunks = headAndTail({ head: log.head, tail: log.tail, entryBytes, headBytes })
  const parts: Buffer[] = []
  let step = await chunks.next()
  for (; !step.done; step = await chunks.next()) parts.push(Buffer.from(step.value))
  expect(log.open).toBe(0)
  return { text: Buffer.concat(parts).toString(), end: step.value }
}

/** Lines with times that go up by a second each. */
const logOf = (count: number, lengthOf: (index: number) => number): string[] =>
  Array.from({ length: count }, (_, index) => {
    const time = new Date(1_700_000_000_000 + index * 1000).toISOString()
    return `${time} ${'x'.repeat(lengthOf(index))}\n`
  })

const MARKER = /^… diagd: entries between (\S+) and (\S+) left out here \(over the limit of (\d+) bytes per entry\) …$/

test('a log within its head is read once', async () => {
  const log = new FakeLog(logOf(10, () => 20))
  const { text, end } = await read(log, 100_000, 1000)
  expect(end).toEqual({ outcome: 'ok' })
  expect(log.readBytes).toBe(text.length)
})

test('a log over its limit keeps its beginning and its newest lines, with a marker line in the hole', async () => {
  const lines = logOf(10_000, () => 50)
  const log = new FakeLog(lines)
  const { text, end } = await read(log, 20_000, 1000)
  const got = text.split('\n').slice(0, -1)
  const hole = got.findIndex((line) => MARKER.test(line))
  const times = lines.map((line) => line.slice(0, 24))
  expect(got.slice(0, hole)).toEqual(lines.slice(0, hole).map((line) => line.trim()))
  expect(got.slice(hole + 1)).toEqual(lines.slice(hole + 1 - got.length).map((line) => line.trim()))
  const [, from, to, limit] = MARKER.exec(got[hole] ?? '') ?? []
  expect([from, to, limit]).toEqual([times[hole - 1], times.at(hole + 1 - got.length), '20000'])
  expect(end).toEqual({
    outcome: 'partial',
    detail: `entries between ${from} and ${to} left out (over the limit of 20000 bytes per entry)`,
  })
  expect(text.length).toBeGreaterThan(14_000)
})

test('what is dropped is not read', async () => {
  const log = new FakeLog(logOf(100_000, () => 50))
  await read(log, 20_000, 1000)
  expect(log.readBytes).toBeLessThan(200_000)
})

test('without a limit the log is streamed as it comes', async () => {
  const lines = logOf(1000, () => 50)
  const log = new FakeLog(lines)
  expect((await read(log, Infinity, 1000)).text).toBe(lines.join(''))
  expect(log.readBytes).toBe(lines.join('').length)
})

test('lines that suddenly grow do not push out the newest', async () => {
  const lines = logOf(5000, (index) => (index < 3500 ? 20 : index < 4000 ? 500 : 20))
  const { text } = await read(new FakeLog(lines), 120_000, 1000)
  expect(text.endsWith(lines.at(-1) ?? '')).toBe(true)
  expect(text.length).toBeLessThanOrEqual(120_000)
})

test('a run that fails is told', async () => {
  const log = new FakeLog(logOf(1000, () => 50))
  const failing = async function* (): Chunks {
    yield* log.tail(1000)
    return { outcome: 'timeout', detail: 'said nothing for 15 s', stderr: 'why' }
  }
  const chunks = headAndTail({ head: log.head, tail: failing, entryBytes: 200_000, headBytes: 1000 })
  let step = await chunks.next()
  while (!step.done) step = await chunks.next()
  expect(step.value).toEqual({ outcome: 'timeout', detail: 'said nothing for 15 s', stderr: 'why' })
})

test('giving up in the middle ends the run that was open', async () => {
  const log = new FakeLog(logOf(1000, () => 50))
  const chunks = headAndTail({ head: log.head, tail: log.tail, entryBytes: 20_000, headBytes: 1000 })
  await chunks.next()
  await chunks.next()
  await chunks.next()
  expect(log.open).toBe(1)
  await chunks.return({ outcome: 'ok' })
  expect(log.open).toBe(0)
})

test('whatever the lines are like: in order, nothing doubled, whole when it fits, and the newest line last', async () => {
  const stretch = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 900 }))
  const stretches = fc.array(stretch, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(stretches, fc.integer({ min: 40_000, max: 200_000 }), async (all, entryBytes) => {
      const lengths = all.flatMap(([count, length]) => Array.from({ length: count }, (_, i) => length + (i % 7)))
      const lines = logOf(lengths.length, (index) => lengths[index] ?? 0)
      const whole = lines.join('')
      const { text, end } = await read(new FakeLog(lines), entryBytes, 1000)
      expect(text.length).toBeLessThanOrEqual(entryBytes)
      expect(text.endsWith(lines.at(-1) ?? '')).toBe(true)
      const kept = text.split('\n').filter((line) => line !== '' && !MARKER.test(line))
      expect(kept).toEqual(lines.map((line) => line.slice(0, -1)).filter((line) => kept.includes(line)))
      expect(end.outcome).toBe(kept.length === lines.length ? 'ok' : 'partial')
      if (whole.length <= entryBytes - 600) expect(text).toBe(whole)
    }),
    { numRuns: 200 },
  )
})
