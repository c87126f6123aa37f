/** How often a database is looked through for what is too old or too much. */
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Said } from '../../../src/record/store/protocol.ts'
import { hostBooks } from '../../../src/record/store/host.ts'
import { stateFolder } from '../events/kit.ts'
import { notesBook } from './notes.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** The thread's side without a thread, so that its clock is the test's. */
async function host(more = 0) {
  const looked: number[] = []
  const begunMs = performance.now()
  const book = {
    ...notesBook,
    maintain: (...[db, settings]: Parameters<typeof notesBook.maintain>) => {
      looked.push(performance.now() - begunMs)
      return { ...notesBook.maintain(db, settings), more: looked.length <= more }
    },
  }
  let hear: (asked: unknown) => void = () => {}
  const said: Said[] = []
  const port = { on: (_: 'message', to: typeof hear) => (hear = to), postMessage: (one: Said) => said.push(one) }
  hostBooks(port as unknown as MessagePort, [book])
  const settings = { path: join(await stateFolder(), 'notes.db'), probeMs: 1000, maxBytes: 1e9, note: '' }
  hear({ book: 'notes', id: 0, own: { kind: 'open', settings } })
  const put = () => hear({ book: 'notes', id: 1, verb: 'put', argument: 'a note' })
  const close = () => hear({ book: 'notes', id: 2, own: { kind: 'close' } })
  return { looked, put, close, said }
}

test('one that nobody writes to is left alone for ten seconds at a time', async () => {
  const { looked, close } = await host()
  await vi.advanceTimersByTimeAsync(30_500)
  expect(looked).toEqual([0, 10_000, 20_000, 30_000])
  close()
  await vi.advanceTimersByTimeAsync(30_500)
  expect(looked).toHaveLength(4)
})

test('a second after something was written it is looked through, however much is written', async () => {
  const { looked, put, close } = await host()
  await vi.advanceTimersByTimeAsync(4000)
  for (let writes = 0; writes < 30; writes++) {
    put()
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(looked).toEqual([0, 5000, 6000, 7000])
  close()
})

test('where there is more to do, it goes on at once', async () => {
  const { looked, close } = await host(3)
  await vi.advanceTimersByTimeAsync(500)
  expect(looked).toEqual([0, 1, 2, 3])
  close()
})
