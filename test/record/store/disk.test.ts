/** Disks that are full, read-only or not there: recording waits, says so, and goes on by itself. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EventStore } from '../../../src/record/events/event.ts'
import { ask, copyTo, event, stateFolder, storeIn, until } from '../events/kit.ts'

/** Whether this process may mount. */
const canMount = process.geteuid?.() === 0

/** A disk of its own, a few megabytes large. */
async function smallDisk(): Promise<string> {
  const folder = await stateFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  return folder
}

function fill(path: string): void {
  const fd = openSync(path, 'w')
  try {
    for (const bytes of [65_536, 4096, 1]) for (;;) if (!wrote(fd, bytes)) break
  } finally {
    closeSync(fd)
  }
}

function wrote(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(bytes, 1)) === bytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}

/** How many were taken before the first was not. */
async function appendUntilRefused(store: EventStore): Promise<{ taken: number; error: unknown }> {
  for (let taken = 0; ; taken++) {
    try {
      await store.append([event(`event ${taken} ${'x'.repeat(3000)}`)])
    } catch (error) {
      return { taken, error }
    }
  }
}

describe.runIf(canMount)('a disk that is full', () => {
  test('pauses recording, which goes on with a word about it when there is room', async () => {
    const folder = await smallDisk()
    const store = storeIn(folder)
    await store.append([event('before')])
    fill(join(folder, 'filler'))
    const { taken, error } = await appendUntilRefused(store)
    expect(error).toMatchObject({ code: 'paused', message: 'the disk is full (SQLITE_FULL)' })
    await expect(store.append([event('a'), event('b')])).rejects.toMatchObject({ code: 'paused' })
    expect(store.health()).toMatchObject({
      state: 'paused',
      problems: [expect.stringMatching(/^Events are not recorded since 20.*Z: the disk is full \(SQLITE_FULL\)$/)],
      refusedEvents: 3,
    })
    // What is there can be asked for, and copied.
    expect((await store.query({ limit: 1000 })).length).toBe(taken + 1)
    const elsewhere = join(await stateFolder(), 'copy.db')
    expect(await copyTo(elsewhere, await store.snapshot())).toEqual({ whole: true })
    expect(ask(elsewhere, 'SELECT count(*) AS n FROM events')).toEqual([{ n: taken + 1 }])

    rmSync(join(folder, 'filler'))
    await until(() => store.health().state === 'recording')
    await until(() => ask(store.path, `SELECT 1 FROM events WHERE type = 'diagd.recorder.resumed'`).length === 1)
    const [told] = await store.query({ limit: 1, typePrefix: 'diagd.recorder' })
    expect(told).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(
        /^Events were not recorded from 20.*Z to 20.*Z: the disk is full \(SQLITE_FULL\)\. Events refused meanwhile: 3$/,
      ),
      detail: { refusedEvents: 3 },
    })
    await store.append([event('after')])
    expect(store.health()).toMatchObject({ state: 'recording', problems: [], refusedEvents: 3 })
    expect(ask(store.path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  test('from the beginning on is waited for', async () => {
    const folder = await smallDisk()
    fill(join(folder, 'filler'))
    const store = storeIn(folder)
    await expect(store.append([event('lost')])).rejects.toMatchObject({ code: 'paused', message: /disk is full/ })
    rmSync(join(folder, 'filler'))
    await until(() => store.health().state === 'recording')
    await store.append([event('kept')])
    expect((await store.query({ limit: 10 })).map(({ type }) => type).toSorted()).toEqual([
      'diagd.recorder.resumed',
      'test.event',
    ])
  })
})

describe('a folder that cannot be written to', () => {
  test('turns recording off, with the reason', async () => {
    const file = join(await stateFolder(), 'file')
    writeFileSync(file, 'no folder')
    const store = storeIn(join(file, 'state'))
    await expect(store.append([event('one')])).rejects.toMatchObject({ code: 'off', message: /ENOTDIR/ })
    await expect(store.append([event('two')])).rejects.toMatchObject({ code: 'off' })
    await expect(store.query({ limit: 1 })).rejects.toMatchObject({ code: 'off' })
    expect(store.health()).toMatchObject({
      state: 'off',
      problems: [/Events are not recorded since .*ENOTDIR/],
      refusedEvents: 2,
    })
    await store.close()
  })

  test.runIf(canMount)('as its disk is read-only is tried again, and what is there is still copied', async () => {
    const folder = await smallDisk()
    const store = storeIn(folder)
    await store.append([event('one')])
    await store.close()
    execFileSync('mount', ['-o', 'remount,ro', folder])
    const second = storeIn(folder)
    await expect(second.append([event('two')])).rejects.toMatchObject({ code: 'off' })
    expect(second.health().problems).toEqual([expect.stringMatching(/read-only|unable to open/)])
    const copy = join(await stateFolder(), 'copy.db')
    expect(await copyTo(copy, await second.snapshot())).toEqual({ whole: true })
    expect(ask(copy, 'SELECT message FROM events')).toEqual([{ message: 'one' }])
    execFileSync('mount', ['-o', 'remount,rw', folder])
    await until(() => second.health().state === 'recording')
    await second.append([event('three')])
    await until(() => ask(second.path, 'SELECT 1 FROM events').length === 3)
  })
})

test('a database that another program keeps locked pauses recording until it lets go', async () => {
  const store = storeIn(await stateFolder())
  await store.append([event('one')])
  const other = new Database(store.path)
  onTestFinished(() => void other.close())
  other.exec('BEGIN IMMEDIATE')
  await expect(store.append([event('two')])).rejects.toMatchObject({
    code: 'paused',
    message: 'another program holds the database locked (SQLITE_BUSY)',
  })
  other.exec('ROLLBACK')
  await until(() => store.health().state === 'recording')
  await store.append([event('three')])
  const found = ask<{ message: string }>(store.path, `SELECT message FROM events WHERE type = 'test.event' ORDER BY id`)
  expect(found).toEqual([{ message: 'one' }, { message: 'three' }])
})

test('a folder with a database is all that it makes', async () => {
  const folder = join(await stateFolder(), 'a', 'b')
  mkdirSync(join(folder, '..'), { recursive: true })
  const store = storeIn(folder)
  await store.append([event('one')])
  expect(readFileSync(store.path).subarray(0, 15).toString()).toBe('SQLite format 3')
})
