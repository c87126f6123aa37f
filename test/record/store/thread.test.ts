/** One thread for several databases: it breaks down, comes again, or cannot be started at all. */
import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { createEventStore } from '../../../src/record/events/store.ts'
import type { Book } from '../../../src/record/store/book.ts'
import type { Status } from '../../../src/record/store/protocol.ts'
import { createStore } from '../../../src/record/store/store.ts'
import { createStoreThread, type Down } from '../../../src/record/store/thread.ts'
import { ask, BOOT, event, stateFolder, storeIn, until } from '../events/kit.ts'
import { notesBook } from './notes.ts'

const SETTINGS = { maxBytes: 1e9, note: 'it is a test' }

function notesThread(worker = new URL('notes-worker.ts', import.meta.url)) {
  return createStoreThread(() => new Worker(worker, { execArgv: [] }))
}

test('whoever waits is told, whoever asks meanwhile too, and a new thread goes on', async () => {
  const path = join(await stateFolder(), 'notes.db')
  const told: (Status | Down)[] = []
  const hearing = { said: (status: Status) => told.push(status), broke: (down: Down) => told.push(down) }
  const thread = notesThread()
  const desk = thread.attach<typeof notesBook>(notesBook, { ...SETTINGS, path, probeMs: 1000 }, hearing)
  onTestFinished(() => desk.leave())
  expect(await desk.ask('put', 'one')).toBe(1)
  // Nothing that the thread knows: it dies of it.
  const unknown: Book = { ...notesBook, name: 'unknown' }
  const other = thread.attach(unknown, { ...SETTINGS, path, probeMs: 1000 } as never, { said() {}, broke() {} })
  onTestFinished(() => other.leave())
  const deadly = other.checkpoint()
  const behind = desk.ask('put', 'two')
  await expect(deadly).rejects.toMatchObject({ code: 'failed' })
  await expect(behind).rejects.toMatchObject({ code: 'failed', message: expect.stringContaining('broke down') })
  expect(told.at(-1)).toMatchObject({
    code: 'paused',
    reason: expect.stringMatching(/^the thread of the store broke down: /),
  })
  await expect(desk.ask('put', 'three')).rejects.toMatchObject({ code: 'paused' })
  other.leave()
  await until(() => 'state' in told.at(-1)!)
  expect(told.at(-1)).toMatchObject({ state: 'recording', rows: 1 })
  expect(await desk.ask('put', 'four')).toBe(2)
  expect(desk.waitingMs()).toBe(0)
})

test('two databases in one thread: each has its own file, words and troubles, and is closed alone', async () => {
  const folder = await stateFolder()
  writeFileSync(join(folder, 'notes.db'), 'no database '.repeat(1000))
  const thread = notesThread()
  const events = storeIn(folder, { thread })
  const notes = createStore<typeof notesBook>(notesBook, { thread, folder, settings: SETTINGS, tell: events.tell })
  onTestFinished(() => notes.close(async () => {}))
  expect(await events.append([event('one')])).toEqual([1])
  // Not opened before it is asked.
  expect(statSync(join(folder, 'notes.db')).size).toBe(12_000)
  expect(await notes.taking(1, () => notes.ask('put', 'first'))).toBe(1)
  await until(() => ask(events.path, 'SELECT 1 FROM events').length === 2)
  const [told] = await events.query({ limit: 1 })
  expect(told).toMatchObject({
    type: 'diagd.recorder.damaged',
    level: 'critical',
    subject: 'notes.db',
    message: expect.stringMatching(/^The database of notes was set aside as .*notes\.db\.damaged-.* it is damaged/),
  })
  expect(events.health()).toMatchObject({ state: 'recording', problems: [], events: 2 })
  await until(() => notes.health(0).problems.length === 2)
  expect(notes.health(0)).toMatchObject({
    rows: 1,
    problems: [expect.stringContaining('was set aside as'), 'The database of notes: it is a test'],
  })
  for (const end of ['', '-wal', '-shm']) rmSync(notes.path + end)
  expect(await notes.ask('put', 'again')).toBe(2)
  await events.close()
  expect(await notes.ask('all', undefined)).toEqual([{ id: 2, text: 'again' }])
  await expect(events.append([event('two')])).rejects.toMatchObject({ code: 'closed' })
})

test('a database of one kind is none of the other', async () => {
  const folder = await stateFolder()
  const first = storeIn(folder)
  await first.append([event('one')])
  await first.close()
  cpSync(first.path, join(folder, 'notes.db'))
  const told: string[] = []
  const tell = ({ message }: { message: string }) => told.push(message)
  const notes = createStore<typeof notesBook>(notesBook, { thread: notesThread(), folder, settings: SETTINGS, tell })
  onTestFinished(() => notes.close(async () => {}))
  expect(await notes.ask('all', undefined)).toEqual([])
  expect(told).toEqual([expect.stringContaining("it is not a database of diagd's notes (application_id 1684627815)")])
})

test('where SQLite cannot be loaded at all recording is off, with the reason', async () => {
  const folder = await stateFolder()
  // A copy of the program without its packages.
  cpSync(fileURLToPath(new URL('../../../src', import.meta.url)), join(folder, 'src'), { recursive: true })
  const thread = notesThread(pathToFileURL(join(folder, 'src/record/store-worker.ts')))
  const store = createEventStore({ folder, bootId: BOOT, thread })
  onTestFinished(() => store.close())
  const off = { code: 'off', message: expect.stringMatching(/does not start: .*better-sqlite3/) }
  await expect(store.append([event('one')])).rejects.toMatchObject(off)
  await expect(store.query({ limit: 1 })).rejects.toMatchObject(off)
  expect(store.health()).toMatchObject({
    state: 'off',
    refusedEvents: 1,
    problems: [
      expect.stringMatching(
        /^Events are not recorded since .*Z: the thread of the store does not start: .*better-sqlite3/,
      ),
    ],
  })
})
