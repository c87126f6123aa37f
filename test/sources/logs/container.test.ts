import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { containerSource } from '../../../src/sources/logs/container.ts'
import type { LogBatches, LogSpan, RawLine } from '../../../src/sources/logs/line.ts'
import { BEGIN_MS, fakeEngine, idOf, type Written } from '../../helpers/fake-engine.ts'
import { onRequest, ownFolder, peer, sourceContext } from '../../helpers/source.ts'

const ALL: Omit<LogSpan, 'direction'> = { sinceUs: 0, untilUs: (BEGIN_MS + 86_400_000) * 1000 }

async function engine(log: readonly Written[]) {
  const { socket, logs } = await fakeEngine({ box: log })
  const source = containerSource({ socket, id: idOf('box'), name: 'box', running: true })
  const read = async (span: Partial<LogSpan>, most = Infinity) => {
    const whole = { ...ALL, direction: 'forward', ...span } as LogSpan
    return lines(source.read(whole, sourceContext()), whole.direction, most)
  }
  return { logs, read }
}

async function lines(batches: LogBatches, direction: LogSpan['direction'], most: number): Promise<RawLine[]> {
  const found: RawLine[] = []
  for await (const batch of batches) {
    const wanted = batch.filter(({ context }) => !context)
    found.push(...(direction === 'forward' ? wanted : wanted.toReversed()))
    if (found.length >= most) break
  }
  return found.slice(0, most)
}

const texts = (all: readonly RawLine[]) => all.map(({ message }) => message)

/** As podman 4.3 has it: whole seconds, and thousands of lines in one. */
const sameSecond = Array.from({ length: 3000 }, (_, index) => ({
  atMs: Math.floor(index / 2500) * 1000,
  stream: 1 as const,
  text: `line ${index % 10}`,
}))

test.each(['forward', 'backward'] as const)(
  'thousands of lines of one second are told apart: %s',
  async (direction) => {
    const { read } = await engine(sameSecond)
    const seen: RawLine[] = []
    for (;;) {
      const page = await read({ direction, after: seen.at(-1)?.place }, 700)
      if (page.length === 0) break
      seen.push(...page)
    }
    const expected = sameSecond.map(({ text }) => text)
    expect(texts(seen)).toEqual(direction === 'forward' ? expected : expected.toReversed())
  },
)

test('whatever the times of two streams are, pages of any size hold each line once, either way', async () => {
  const written = fc.record({
    // Many of one stamp, and some that go back by up to 3 ms.
    step: fc.constantFrom(0, 0, 0, 1, 2, 40, 900, 2500, -1, -3),
    stream: fc.constantFrom(1 as const, 2 as const),
    text: fc.constantFrom('a', 'b', 'c'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(written, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 90 }),
      async (steps, size) => {
        let newestMs = 0
        const log = steps.map(({ step, stream, text }, index): Written => {
          if (step > 0) newestMs += step
          return { atMs: Math.max(0, newestMs + Math.min(0, step)), stream, text: `${text}${index}` }
        })
        const { read } = await engine(log)
        for (const direction of ['forward', 'backward'] as const) {
          const seen: RawLine[] = []
          for (;;) {
            const page = await read({ direction, after: seen.at(-1)?.place }, size)
            if (page.length === 0) break
            seen.push(...page)
          }
          const all = log.map(({ text }) => text)
          expect(texts(seen)).toEqual(direction === 'forward' ? all : all.toReversed())
        }
      },
    ),
    { numRuns: 25, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) },
  )
})

test('what was rotated away is gone, is said, and holds up nothing that came since', async () => {
  const log = Array.from({ length: 100 }, (_, index) => ({ atMs: index * 100, stream: 1 as const, text: `${index}` }))
  const { logs, read } = await engine(log)
  const before = await read({}, 10)
  logs.set('box', log.slice(50))
  expect(texts(await read({ after: before.at(-1)!.place }))).toEqual(log.slice(50).map(({ text }) => text))
  const source = containerSource({ socket: '/nowhere', id: 'a'.repeat(64), name: 'box', running: true })
  expect(source.name).toBe(`container box (${'a'.repeat(12)})`)
  // Backward from a line that is gone: nothing older is left.
  expect(await read({ direction: 'backward', after: before.at(-1)!.place })).toEqual([])
  expect(texts(await read({ direction: 'backward' }, 3))).toEqual(['99', '98', '97'])
})

test('only what lies within the times comes, and a little before it for the mask', async () => {
  const log = Array.from({ length: 500 }, (_, index) => ({ atMs: index * 10, stream: 1 as const, text: `${index}` }))
  const { read } = await engine(log)
  const span = { sinceUs: (BEGIN_MS + 1000) * 1000, untilUs: (BEGIN_MS + 1020) * 1000 }
  expect(texts(await read(span))).toEqual(['100', '101', '102'])
  expect(texts(await read({ ...span, direction: 'backward' }))).toEqual(['102', '101', '100'])
})

test('a line that is not finished waits for its end, as long as the container runs', async () => {
  const folder = await ownFolder()
  const open = Buffer.from(`${new Date(BEGIN_MS).toISOString().replace('Z', '000000Z')} ${'x'.repeat(16 * 1024)}`)
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(open.length, 4)
  const { path } = await peer(join(folder, 'docker.sock'), (socket) => {
    onRequest(socket, () => {
      socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'), head, open]))
    })
  })
  const counts = []
  for (const running of [true, false])
    for (const direction of ['forward', 'backward'] as const) {
      const source = containerSource({ socket: path, id: 'a'.repeat(64), name: 'box', running })
      counts.push((await lines(source.read({ ...ALL, direction }, sourceContext()), direction, Infinity)).length)
    }
  expect(counts).toEqual([0, 0, 1, 1])
})
