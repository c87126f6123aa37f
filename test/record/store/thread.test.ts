/** The thread of the store breaks down, and comes again. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rowOf } from '../../../src/record/events/row.ts'
import type { Status } from '../../../src/record/store/protocol.ts'
import { createStoreThread } from '../../../src/record/store/thread.ts'
import { event, stateFolder, until } from './kit.ts'

test('whoever waits is told, whoever asks meanwhile too, and a new thread goes on', async () => {
  const path = join(await stateFolder(), 'events.db')
  const told: (Status | string)[] = []
  const thread = createStoreThread(
    { path, maxAgeMs: 1e14, maxBytes: 1e9, probeMs: 1000 },
    { said: (status) => told.push(status), broke: (why) => told.push(why) },
  )
  onTestFinished(() => thread.terminate())
  const jobs = [{ rows: [rowOf(event('one'))] }]
  expect(await thread.ask({ kind: 'append', jobs })).toBe(1)
  // Nothing that the store would ask: the thread dies of it.
  const deadly = thread.ask(undefined as never)
  const behind = thread.ask({ kind: 'append', jobs })
  await expect(deadly).rejects.toMatchObject({ code: 'failed' })
  await expect(behind).rejects.toMatchObject({ code: 'failed', message: expect.stringContaining('broke down') })
  expect(told.at(-1)).toMatch(/^broke down: /)
  await expect(thread.ask({ kind: 'append', jobs })).rejects.toMatchObject({ code: 'paused' })
  await until(() => typeof told.at(-1) === 'object')
  expect(told.at(-1)).toMatchObject({ state: 'recording', events: 1 })
  expect(await thread.ask({ kind: 'append', jobs })).toBe(2)
  expect(thread.waitingMs()).toBe(0)
})
