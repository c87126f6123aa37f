/** Databases that cannot be used: set aside as they are, and a new one begun, said loudly. */
import { execFileSync } from 'node:child_process'
import { statSync, closeSync, copyFileSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { MIGRATIONS } from '../../../src/record/events/schema.ts'
import { ask, event, stateFolder, storeIn, until } from '../events/kit.ts'

const VERSION = MIGRATIONS.length

/** A closed database with events. */
async function filled(folder: string, count = 500): Promise<string> {
  const store = storeIn(folder)
  await store.append(Array.from({ length: count }, (_, index) => event(`event ${index} ${'x'.repeat(200)}`)))
  await store.close()
  return store.path
}

/** Bytes in the midst of pages are no longer what they were. */
function scratch(path: string): void {
  const bytes = readFileSync(path)
  for (let at = 4096 * 2; at + 4096 <= bytes.length; at += 4096) bytes.fill(0xa5, at, at + 64)
  writeFileSync(path, bytes)
}

async function said(folder: string, type: string, reason: RegExp): Promise<void> {
  const store = storeIn(folder)
  await store.append([event('goes on')])
  await until(async () => (await store.query({ limit: 10 })).length === 2)
  const [one, two] = await store.query({ limit: 10 })
  const told = one!.type === type ? one! : two!
  expect(told).toMatchObject({ type, source: 'diagd', subject: 'events.db', message: expect.stringMatching(reason) })
  expect(store.health()).toMatchObject({ state: 'recording', problems: [expect.stringMatching(reason)] })
  expect(told.detail).toMatchObject({ path: (await store.setAside())[0] })
}

describe('a database that', () => {
  test('is damaged is set aside as it is', async () => {
    const folder = await stateFolder()
    const path = await filled(folder)
    scratch(path)
    const evidence = readFileSync(path)
    await said(folder, 'diagd.recorder.damaged', /set aside as .*events\.db\.damaged-\d{8}T\d{9}Z.* it is damaged \(/)
    const [aside] = await storeIn(folder).setAside()
    expect(readFileSync(aside!).equals(evidence)).toBe(true)
  })

  test('is no database at all is set aside', async () => {
    const folder = await stateFolder()
    writeFileSync(join(folder, 'events.db'), 'what is this? '.repeat(1000))
    await said(folder, 'diagd.recorder.damaged', /it is damaged \(file is not a database\)/)
  })

  test('lost its file but not its log is not mixed up with the new one', async () => {
    const folder = await stateFolder()
    writeFileSync(join(folder, 'events.db-wal'), Buffer.alloc(5000, 1))
    await said(folder, 'diagd.recorder.damaged', /there is no database to/)
    const names = (await storeIn(folder).setAside()).map((path) => basename(path))
    expect(names).toEqual([expect.stringMatching(/^events\.db\.damaged-\d+T\d+Z$/), expect.stringMatching(/Z-wal$/)])
  })

  test('is of a newer diagd is set aside untouched, with what is in its log', async () => {
    const folder = await stateFolder()
    const path = join(folder, 'events.db')
    const newer = new Database(path)
    newer.pragma('application_id = 0x64696167')
    newer.pragma('journal_mode = WAL')
    newer.pragma('wal_autocheckpoint = 0')
    newer.exec('CREATE TABLE something_new (x)')
    newer.pragma(`user_version = ${VERSION + 1}`)
    // As after a crash: the log is still there.
    const crashed = join(folder, 'crashed')
    for (const end of ['', '-wal']) copyFileSync(path + end, crashed + end)
    newer.close()
    for (const end of ['', '-wal']) copyFileSync(crashed + end, path + end)
    for (const end of ['', '-wal']) rmSync(crashed + end)
    const [main, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
    await said(
      folder,
      'diagd.recorder.newer',
      new RegExp(`newer diagd \\(version ${VERSION + 1}; this one knows ${VERSION}\\)`),
    )
    const aside = await storeIn(folder).setAside()
    expect(readFileSync(aside[0]!).equals(main)).toBe(true)
    expect(readFileSync(aside.find((one) => one.endsWith('-wal'))!).equals(log)).toBe(true)
  })

  test('is of another program is set aside', async () => {
    const folder = await stateFolder()
    const other = new Database(join(folder, 'events.db'))
    other.exec('CREATE TABLE mine (x)')
    other.close()
    await said(folder, 'diagd.recorder.foreign', /not a database of diagd's events/)
  })

  test('was made and never filled is used', async () => {
    const folder = await stateFolder()
    writeFileSync(join(folder, 'events.db'), '')
    const store = storeIn(folder)
    await store.append([event('one')])
    expect(await store.setAside()).toEqual([])
    expect(ask(store.path, 'PRAGMA auto_vacuum')).toEqual([{ auto_vacuum: 2 }])
  })
})

describe('damage found while it is open', () => {
  /** What another process overwrites: in this one, closing the file would drop the locks. The page of the schema stays. */
  async function damaged() {
    const folder = await stateFolder()
    const path = await filled(folder, 3000)
    // It does not look by itself while the test goes on: whoever asks finds it.
    const store = storeIn(folder, { probeMs: 600_000 })
    expect(await store.append([event('before')])).toEqual([3001])
    // The upkeep at its start is over once it has answered again and again: it comes between two answers.
    for (let asked = 0; asked < 3; asked++) await store.query({ limit: 1 })
    execFileSync('dd', [`of=${path}`, 'if=/dev/zero', 'bs=4096', 'seek=3', 'count=100', 'conv=notrunc,nocreat'], {
      stdio: 'pipe',
    })
    return store
  }

  test('by a write: the event goes into a new one, and ids go on', async () => {
    const store = await damaged()
    // To the other end of the index than what was written before: a page that has to be read.
    expect(await store.append([event('after', { type: 'a' })], { name: 'journal', value: 'x' })).toEqual([3002])
    await until(() => ask(store.path, 'SELECT 1 FROM events').length === 2)
    expect(ask(store.path, 'SELECT id, type FROM events ORDER BY id')).toEqual([
      { id: 3002, type: 'a' },
      { id: 3003, type: 'diagd.recorder.damaged' },
    ])
    expect(await store.cursor('journal')).toBe('x')
    expect(store.health()).toMatchObject({ state: 'recording', problems: [expect.stringContaining('it is damaged')] })
    const names = (await store.setAside()).map((one) => basename(one).replace(/\d{8}T\d{9}Z/, 'TIME'))
    expect(names.slice(0, 1)).toEqual(['events.db.damaged-TIME'])
    // What was in the log is evidence too.
    expect(names).toContain('events.db.damaged-TIME-wal')
  })

  test('by a query: it fails, and the next one finds the new database', async () => {
    const store = await damaged()
    await expect(store.query({ limit: 1000, beforeId: 700 })).rejects.toMatchObject({ code: 'failed' })
    // Until the new one is there, whoever asks is refused.
    const newest = async () => (await store.query({ limit: 1 }).catch(() => []))[0]
    await until(async () => (await newest())?.type === 'diagd.recorder.damaged')
    expect(await store.query({ limit: 10 })).toMatchObject([{ id: 3002, type: 'diagd.recorder.damaged' }])
  })
})

test('what was set aside is kept, but not without end', async () => {
  const folder = await stateFolder()
  for (let round = 0; round < 5; round++) {
    writeFileSync(join(folder, 'events.db'), `no database ${round} `.repeat(500))
    const store = storeIn(folder)
    await store.append([event('one')])
    await store.close()
    for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `events.db${end}`), { force: true })
  }
  const kept = await storeIn(folder).setAside()
  expect(kept.map((path) => readFileSync(path, 'utf8').slice(0, 13))).toEqual([
    'no database 4',
    'no database 3',
    'no database 2',
  ])
  expect(readdirSync(folder)).toHaveLength(3)
})

describe('files that are taken away while it writes', () => {
  test('are made anew, and no event is lost from then on', async () => {
    const store = storeIn(await stateFolder())
    await store.append([event('gone with the file')])
    for (const end of ['', '-wal', '-shm']) rmSync(store.path + end)
    expect(await store.append([event('first after')])).toEqual([2])
    await until(() => ask(store.path, 'SELECT 1 FROM events').length === 2)
    const found = ask<{ id: number; type: string }>(store.path, 'SELECT id, type, message FROM events ORDER BY id')
    expect(found).toMatchObject([
      { id: 2, message: 'first after' },
      { id: 3, type: 'diagd.recorder.removed', message: expect.stringContaining('was removed or replaced') },
    ])
    expect(store.health().problems).toEqual([expect.stringContaining('was removed or replaced')])
  })

  test('alone its log: nothing is lost', async () => {
    const store = storeIn(await stateFolder())
    await store.append([event('one')])
    // Somebody in this process drops its locks; another program thinks then that it is alone, and clears up behind itself.
    closeSync(openSync(store.path, 'r'))
    otherProgram(store.path)
    expect(readdirSync(dirname(store.path))).not.toContain('events.db-wal')
    await store.append([event('two')])
    await until(() => ask(store.path, `SELECT 1 FROM events WHERE type = 'diagd.recorder.removed'`).length > 0)
    expect(ask(store.path, `SELECT message FROM events WHERE type = 'test.event' ORDER BY id`)).toEqual([
      { message: 'one' },
      { message: 'two' },
    ])
    expect(ask(store.path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })
})

test('a copy leaves the locks of the store in place, though it closes its descriptors', async () => {
  const store = storeIn(await stateFolder())
  await store.append([event('one')])
  expect(locksOf(store.path)).toHaveLength(1)
  const snapshot = await store.snapshot()
  for await (const chunk of snapshot.chunks) void chunk
  const abandoned = await store.snapshot()
  await abandoned.chunks.return({ whole: false })
  expect(locksOf(store.path)).toHaveLength(1)
  closeSync(openSync(store.path, 'r'))
  // So it looks when somebody does it wrong.
  expect(locksOf(store.path)).toEqual([])
})

/** SQLite's locks on a file, as the kernel lists them. */
function locksOf(path: string): string[] {
  const { ino } = statSync(path)
  const lines = readFileSync('/proc/locks', 'utf8').split('\n')
  return lines.filter(
    (line) => line.includes(' POSIX ') && line.includes(`:${ino} `) && line.includes(` ${process.pid} `),
  )
}

/** Looks at the database, thinks that it is the last one to do so, and clears up: as sqlite3 does. */
function otherProgram(path: string): void {
  const script = `
    import Database from 'better-sqlite3'
    import { rmSync } from 'node:fs'
    const [, path] = process.argv
    const db = new Database(path)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })`
  execFileSync(process.execPath, ['--input-type=module', '-e', script, path], { cwd: import.meta.dirname })
}
