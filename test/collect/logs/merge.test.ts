/** Several logs as one, however they lie in time: silent for long, all at once, of the same stamp. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fakeEngine, type Written } from '../../helpers/fake-engine.ts'
import { machine, messages } from './kit.ts'

const NAMES = ['left', 'middle', 'right']

/** A line of one of the containers, so long after the one before it. Ten seconds is how far the cursor remembers. */
const step = fc.record({
  name: fc.constantFrom(...NAMES),
  afterMs: fc.constantFrom(0, 0, 0, 1, 1, 400, 3000, 9999, 10_000, 10_001, 60_000),
})

test.each(['oldest', 'newest'])('pages of any size hold each line once, by time: %s', async (order) => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 20 }),
    async (steps, limit) => {
      let atMs = 0
      const logs: Record<string, Written[]> = Object.fromEntries(NAMES.map((name) => [name, []]))
      for (const [index, { name, afterMs }] of steps.entries()) {
        atMs += afterMs
        logs[name]!.push({ atMs, stream: 1, text: `${index}` })
      }
      const { folder, socket } = await fakeEngine(logs)
      const { pages } = machine({ root: folder, engines: [socket.slice(folder.length)], path: '/nonexistent' })
      const ask = { source: 'container', order, until: '2026-06-16T12:00:00Z' }
      const found = await pages({ ...ask, limit: String(limit) })
      expect(messages(found).toSorted()).toEqual(steps.map((_, index) => `${index}`).toSorted())
      const times = found.map(({ time }) => time)
      expect(times).toEqual(order === 'oldest' ? times.toSorted() : times.toSorted().toReversed())
    },
  )
  await fc.assert(property, { numRuns: 25 })
})

test('what is written while somebody pages is there when it is read forward, and what is newer not when it is read backward', async () => {
  const line = (atMs: number, text: string): Written => ({ atMs, stream: 1, text })
  const { folder, logs } = await fakeEngine({ left: [line(0, 'l0'), line(5000, 'l1')], right: [line(100, 'r0')] })
  const { page, pages } = machine({ root: folder, engines: ['/docker.sock'], path: '/nonexistent' })
  const ask = { source: 'container' }
  const forward = await page({ ...ask, order: 'oldest', limit: '3' })
  // As if it were asked then.
  const backward = await page({ ...ask, order: 'newest', limit: '1', until: '2026-06-15T12:00:05.2Z' })
  // One came late: its time is before that of the last line that was handed over.
  logs.set('right', [line(100, 'r0'), line(4000, 'late'), line(5500, 'r1')])
  expect(messages(await pages({ ...ask, order: 'oldest', cursor: forward.cursor! }))).toEqual(['late', 'r1'])
  expect(messages(backward.lines)).toEqual(['l1'])
  expect(messages(await pages({ ...ask, order: 'newest', cursor: backward.cursor! }))).toEqual(['late', 'r0', 'l0'])
})
