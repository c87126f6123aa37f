import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { listLogFiles } from '../../../src/record/containers/keep/log-files.ts'
import type { LogWriter } from '../../../src/record/containers/keep/log-writer.ts'
import { readLog, readLogFacts } from '../../../src/record/containers/keep/read-log.ts'
import { keptContainerSource, type KeptOfLog } from '../../../src/sources/logs/kept-container.ts'
import { containerSource } from '../../../src/sources/logs/container.ts'
import type { LogBatches, LogSource, LogSpan, RawLine } from '../../../src/sources/logs/line.ts'
import { BEGIN_MS, fakeEngine, idOf, type Written } from '../../helpers/fake-engine.ts'
import { sourceContext } from '../../helpers/source.ts'
import { batch, lineOf, NOON, openWriter, ownFolder, upTo } from '../../record/containers/kit.ts'

const ALL: Omit<LogSpan, 'direction'> = { sinceUs: 0, untilUs: (BEGIN_MS + 86_400_000) * 1000 }

/** With what it took to read it: how many segments were handed out, and inflated. */
async function keptIn(folder: string, over: Partial<KeptOfLog> = {}) {
  const { first, last } = (await readLogFacts(folder))!
  const taken = { segments: 0, inflated: 0 }
  const source = keptContainerSource({
    id: idOf('box'),
    name: 'box',
    removed: true,
    running: false,
    first,
    last,
    knownMs: 0,
    async *pieces(span) {
      for await (const piece of readLog(folder, span)) {
        if (!('segment' in piece)) {
          yield piece
          continue
        }
        const { bytes, ...facts } = piece.segment
        const counted = () => (taken.inflated++, bytes)
        taken.segments += 1
        yield {
          segment: {
            ...facts,
            get bytes() {
              return counted()
            },
          },
        }
      }
    },
    ...over,
  })
  return { source, taken }
}

async function read(source: LogSource, span: Partial<LogSpan> = {}, most = Infinity): Promise<RawLine[]> {
  const whole = { ...ALL, direction: 'forward', ...span } as LogSpan
  return lines(source.read(whole, sourceContext()), whole.direction, most)
}

async function lines(batches: LogBatches, direction: LogSpan['direction'], most: number): Promise<RawLine[]> {
  const found: RawLine[] = []
  for await (const one of batches) {
    const wanted = one.filter(({ context }) => !context)
    found.push(...(direction === 'forward' ? wanted : wanted.toReversed()))
    if (found.length >= most) break
  }
  return found.slice(0, most)
}

async function pages(
  source: () => Promise<LogSource>,
  direction: LogSpan['direction'],
  size: () => number,
): Promise<RawLine[]> {
  const seen: RawLine[] = []
  for (;;) {
    const page = await read(await source(), { direction, after: seen.at(-1)?.place }, size())
    if (page.length === 0) return seen
    seen.push(...page)
  }
}

const texts = (all: readonly RawLine[]) => all.map(({ message }) => message)
const numbers = (all: readonly RawLine[]) => all.map(({ message }) => Number(/^line (\d+) /.exec(message)?.[1]))

/** Text as it is kept, in a record of its own. */
function add(writer: LogWriter, text: string): void {
  const stamps = text
    .split('\n')
    .map((line) => line.slice(0, 30))
    .filter((stamp) => stamp.endsWith('Z'))
    .toSorted()
  const facts = { first: stamps[0], last: stamps.at(-1), lines: stamps.length }
  writer.append(batch(writer, 0, 0, { text: Buffer.from(text), ...facts }))
}

async function longLog(count: number) {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  for (let from = 0; from < count; from += 1000) writer.append(batch(writer, from, 1000))
  return { folder, writer }
}

test.each(['forward', 'backward'] as const)('segments and what is in none yet are one log: %s', async (direction) => {
  const { folder } = await longLog(30_000)
  expect(listLogFiles(folder).length).toBeGreaterThan(0)
  const all = upTo(30_000)
  const expected = direction === 'forward' ? all : all.toReversed()
  expect(numbers(await read((await keptIn(folder)).source, { direction }))).toEqual(expected)
  expect(
    numbers(
      await pages(
        async () => (await keptIn(folder)).source,
        direction,
        () => 7919,
      ),
    ),
  ).toEqual(expected)
})

test('the newest lines take the newest segments alone', async () => {
  const { folder, writer } = await longLog(60_000)
  writer.seal()
  const { source, taken } = await keptIn(folder)
  expect(numbers(await read(source, { direction: 'backward' }, 100))).toEqual(upTo(60_000).slice(-100).toReversed())
  const whole = await keptIn(folder)
  await read(whole.source)
  expect(whole.taken.segments).toBeGreaterThan(4)
  expect(taken.segments).toBeLessThan(whole.taken.segments)
  const middle = await keptIn(folder)
  const span = { sinceUs: (NOON + 30) * 1e6, untilUs: (NOON + 30.005) * 1e6 }
  expect(numbers(await read(middle.source, span))).toEqual([30_000, 30_001, 30_002, 30_003, 30_004, 30_005])
  expect(numbers(await read(middle.source, { ...span, direction: 'backward' }))).toEqual(
    [30_000, 30_001, 30_002, 30_003, 30_004, 30_005].toReversed(),
  )
  expect(middle.taken.segments).toBeLessThan(whole.taken.segments)
})

test('of many segments of the same seconds, the newest lines take the last ones', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  for (let from = 0; from < 8000; from += 200) {
    writer.append(batch(writer, from, 200))
    writer.seal()
  }
  writer.close()
  const { source, taken } = await keptIn(folder)
  expect(numbers(await read(source, { direction: 'backward' }, 100))).toEqual(upTo(8000).slice(-100).toReversed())
  expect(taken).toEqual({ segments: 40, inflated: 2 })
})

test('pages go on while the log becomes segments, grows, and loses its oldest', async () => {
  const { folder, writer } = await longLog(20_000)
  const first = await read((await keptIn(folder)).source, {}, 15_000)
  writer.seal()
  writer.append(batch(writer, 20_000, 1000))
  const second = await read((await keptIn(folder)).source, { after: first.at(-1)!.place })
  expect(numbers([...first, ...second])).toEqual(upTo(21_000))
  const newest = await read((await keptIn(folder)).source, { direction: 'backward' }, 500)
  for (let from = 21_000; from < 60_000; from += 1000) writer.append(batch(writer, from, 1000))
  const older = await read((await keptIn(folder)).source, { direction: 'backward', after: newest.at(-1)!.place }, 500)
  expect(numbers([...newest, ...older])).toEqual(upTo(21_000).slice(-1000).toReversed())
  rmSync(listLogFiles(folder)[0]!.path)
  const [gap, oldest, ...rest] = await read((await keptIn(folder)).source, { after: first[10]!.place })
  expect(gap).toMatchObject({
    level: 'warning',
    message: expect.stringMatching(/^… \d+ lines dropped \(cap\)/) as string,
  })
  expect(gap!.timeUs).toBe(oldest!.timeUs - 1)
  expect(gap!.message).toContain(`… ${numbers([oldest!])[0]} lines`)
  expect(numbers([oldest!, ...rest]).at(-1)).toBe(59_999)
  const back = await read((await keptIn(folder)).source, { direction: 'backward', after: rest[10]!.place })
  expect(texts(back)).toEqual(texts([gap!, oldest!, ...rest.slice(0, 10)]).toReversed())
  writer.close()
})

test('lines of ours come as warnings where they stand, once each, whatever the page', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  add(writer, `… begun …\n${lineOf(1)}${lineOf(2)}… 7 lines dropped (flood) from A to B …\n`)
  writer.seal()
  add(writer, `… a second one …\n${lineOf(3)}`)
  writer.seal()
  add(writer, `… between …\n${lineOf(9000)}… at the end …\n`)
  const wanted = ['begun', '1', '2', '7 lines|a second one', '3', 'between', '9000', 'at the end']
  const short = (all: readonly RawLine[]) =>
    all.map(({ message, level, container }) => {
      if (!message.startsWith('…')) return /^line (\d+)/.exec(message)![1]
      expect([level, container]).toEqual(['warning', { id: idOf('box'), name: 'box', removed: true }])
      return message
        .split('\n')
        .map((text) => /^… (begun|7 lines|a second one|between|at the end)/.exec(text)![1])
        .join('|')
    })
  for (const size of [1, 2, 3, 100])
    for (const direction of ['forward', 'backward'] as const) {
      const seen = short(
        await pages(
          async () => (await keptIn(folder)).source,
          direction,
          () => size,
        ),
      )
      expect(seen).toEqual(direction === 'forward' ? wanted : wanted.toReversed())
    }
  // Asked for from then on, what is told of before is not among it.
  expect(short(await read((await keptIn(folder)).source, { sinceUs: (NOON + 8) * 1e6 }))).toEqual([
    '9000',
    'at the end',
  ])
  writer.close()
})

test('parts of a line are one line, at the end also of one that has none, unless it may go on', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const part = (number: number, tag: string, text: string) => lineOf(number).replace(/ F .*\n/, ` ${tag} ${text}\n`)
  add(writer, part(1, 'P', 'x'.repeat(40_000)))
  writer.seal()
  add(writer, `${part(2, 'F', 'y'.repeat(40_000))}${part(3, 'P', 'unfinished')}`)
  for (const direction of ['forward', 'backward'] as const) {
    const read3 = async (running: boolean) => {
      const all = await read((await keptIn(folder, { running })).source, { direction })
      return all.map(({ message, cutBytes = 0 }) => message.length + cutBytes)
    }
    expect(new Set(await read3(false))).toEqual(new Set([10, 80_000]))
    expect(await read3(true)).toEqual([80_000])
  }
  writer.close()
})

test('a segment that is damaged is said, and the others are read', async () => {
  const { folder, writer } = await longLog(40_000)
  writer.seal()
  const [file] = listLogFiles(folder)
  const bytes = readFileSync(file!.path)
  bytes.fill(0x55, 60_000, 60_200)
  writeFileSync(file!.path, bytes)
  for (const direction of ['forward', 'backward'] as const) {
    const all = await read((await keptIn(folder)).source, { direction })
    const told = all.filter(({ level }) => level === 'warning').map(({ message }) => message)
    expect(told).toEqual([
      expect.stringMatching(/^… segment 0 is damaged: of its \d+ lines some are missing or wrong …$/),
    ])
    const count = Number(/of its (\d+)/.exec(told[0]!)![1])
    const whole = numbers(direction === 'forward' ? all : all.toReversed()).slice(count - 40_000)
    expect(whole).toEqual(upTo(40_000).slice(count))
  }
})

test('a cursor of the engine goes on in what is kept, and back, whatever the times of two streams are', async () => {
  const written = fc.record({
    step: fc.constantFrom(0, 0, 0, 1, 2, 40, 900, 2500, 60_000, -1, -3),
    stream: fc.constantFrom(1 as const, 2 as const),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(written, { minLength: 1, maxLength: 200 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
      fc.infiniteStream(fc.boolean()),
      fc.integer({ min: 1, max: 50 }),
      async (steps, sizes, turns, seal) => {
        let newestMs = 0
        const log = steps.map(({ step, stream }, index): Written => {
          if (step > 0) newestMs += step
          return { atMs: Math.max(0, newestMs + Math.min(0, step)), stream, text: `text ${index}` }
        })
        const folder = await ownFolder()
        const writer = openWriter(folder)
        for (let from = 0; from < log.length; from += seal) {
          add(
            writer,
            log
              .slice(from, from + seal)
              .map(asKept)
              .join(''),
          )
          writer.seal()
        }
        writer.close()
        const { socket } = await fakeEngine({ box: log })
        const engine = containerSource({ socket, id: idOf('box'), name: 'box', running: false })
        const source = async () => (turns.next().value ? engine : (await keptIn(folder)).source)
        for (const direction of ['forward', 'backward'] as const) {
          const all = log.map(({ text }) => text)
          const seen = texts(await pages(source, direction, () => sizes.next().value))
          expect(seen).toEqual(direction === 'forward' ? all : all.toReversed())
        }
      },
    ),
    { numRuns: 60, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) },
  )
})

function asKept({ atMs, stream, text }: Written): string {
  const stamp = new Date(BEGIN_MS + atMs).toISOString().replace('Z', '000000Z')
  return `${stamp} ${stream === 1 ? 'stdout' : 'stderr'} F ${text}\n`
}
