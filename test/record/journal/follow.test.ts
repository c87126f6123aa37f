import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { followJournal, type JournalFollower, type JournalFollowOptions } from '../../../src/record/journal/follow.ts'
import { FIXED_PATH } from '../../../src/sources/lookup.ts'
import { fakeCommand, isGone, temporaryFolder } from '../../helpers/commands.ts'
import { memoryStore, type MemoryStore } from '../helpers/memory-store.ts'
import { addToJournal, at, canMakeJournals, chatter, failed } from '../helpers/journals.ts'

/** Entries of an hour ago: a first look goes back seven days. */
const AGO = Math.floor((Date.now() - Date.parse('2026-01-02T03:00:00.000Z')) / 1000) - 3600
const unit = (index: number) => `app-${AGO + index}.service`
const fails = (...numbers: number[]) => numbers.map((number) => failed(AGO + number))
const chats = (...numbers: number[]) => numbers.map((number) => chatter(AGO + number))

function follow(store: MemoryStore, directory: string, more: Partial<JournalFollowOptions> = {}): JournalFollower {
  const now = () => ({ timeMs: Date.now(), bootId: 'here' })
  const follower = followJournal({ sink: store, path: FIXED_PATH, place: { directory }, now, ...more })
  onTestFinished(() => follower.close())
  return follower
}

const subjects = ({ events }: MemoryStore) => events.map(({ subject }) => subject)
const has = (count: number) => (store: MemoryStore) => store.events.length >= count
const cursorIs = (store: MemoryStore, index: number) => {
  const us = BigInt(at(AGO + index, {})['__REALTIME_TIMESTAMP']!).toString(16)
  return store.cursors.get('journal')?.includes(`t=${us};`) ?? false
}

describe.skipIf(!canMakeJournals)('a journal (files made by the package systemd-journal-remote)', () => {
  test('what is in it and what comes is found, once, over restarts', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, [...chats(0), ...fails(1), ...chats(2)])
    const first = follow(store, folder)
    await store.until(has(1))
    addToJournal(folder, [...fails(3), ...chats(4)])
    await store.until(has(2))
    expect(first.health()).toMatchObject({ state: 'following', lines: 5, events: 2, missingEntries: 0 })
    await first.close()
    addToJournal(folder, [...chats(5), ...fails(6)])
    const second = follow(store, folder)
    await store.until(has(3))
    await second.close()
    expect(subjects(store)).toEqual([unit(1), unit(3), unit(6)])
    expect(second.health()).toMatchObject({ state: 'closed', lines: 2, events: 1, missingEntries: 0 })
  })

  test('the place is stored when it ends, though no line was of interest', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, chats(0, 1, 2))
    const follower = follow(store, folder)
    await follower.caughtUp
    await follower.close()
    expect(cursorIs(store, 2)).toBe(true)
    expect(store.events).toEqual([])
  })

  test('nothing is lost when the store refuses, and nothing comes twice', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0, 1))
    store.refuses = 'the disk is full'
    const refused = Promise.withResolvers<void>()
    const sink = {
      cursor: store.cursor,
      append: (...batch: Parameters<MemoryStore['append']>) => {
        refused.resolve()
        return store.append(...batch)
      },
    }
    const follower = follow(store, folder, { sink })
    await refused.promise
    addToJournal(folder, fails(2))
    await new Promise(setImmediate)
    expect(follower.health().problem).toBe('the disk is full')
    store.refuses = undefined
    await store.until(has(3))
    expect(subjects(store)).toEqual([unit(0), unit(1), unit(2)])
    expect(follower.health().problem).toBeUndefined()
  })

  test('rotated and vacuumed: it goes on with the oldest there is, and says what is missing', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, [...fails(0), ...chats(1, 2, 3)])
    const first = follow(store, folder)
    await first.caughtUp
    await first.close()
    addToJournal(folder, fails(4, 5, 6))
    rmSync(join(folder, 'system.journal'))
    addToJournal(folder, fails(7), 'newer')
    const second = follow(store, folder)
    await store.until(has(3))
    expect(store.events.map(({ type, subject }) => [type, subject])).toEqual([
      ['unit.failed', unit(0)],
      ['journal.hole', ''],
      ['unit.failed', unit(7)],
    ])
    await second.close()
  })

  test('another journal, older than the place: all of it is read', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(100))
    const first = follow(store, folder)
    await store.until(has(1))
    await first.close()
    rmSync(join(folder, 'system.journal'))
    addToJournal(folder, fails(1, 2), 'other')
    follow(store, folder)
    await store.until(has(4))
    expect(store.events.slice(1).map(({ type, subject }) => [type, subject])).toEqual([
      ['journal.hole', ''],
      ['unit.failed', unit(1)],
      ['unit.failed', unit(2)],
    ])
  })

  test('only the newest entry is gone: it goes on where it was, without repeating what is older', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(1, 2))
    const older = readFileSync(join(folder, 'system.journal'))
    addToJournal(folder, fails(3))
    const first = follow(store, folder)
    await store.until(has(3))
    await first.close()
    writeFileSync(join(folder, 'system.journal'), older)
    const second = follow(store, folder)
    await second.caughtUp
    expect(second.health().state).toBe('following')
    addToJournal(folder, fails(4), 'newer')
    await store.until(has(5))
    expect(subjects(store)).toEqual([unit(1), unit(2), unit(3), '', unit(4)])
    await second.close()
  })

  test('a file that is renamed while it is followed, as journald rotates, is followed on', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    follow(store, folder)
    await store.until(has(1))
    renameSync(join(folder, 'system.journal'), join(folder, 'system@1-1-1.journal'))
    addToJournal(folder, fails(1))
    await store.until(has(2))
    expect(subjects(store)).toEqual([unit(0), unit(1)])
  })

  test('older than seven days is left where it is, the first time', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    const days = 24 * 3600
    addToJournal(folder, [failed(AGO - 8 * days), failed(AGO - 6 * days), failed(AGO)])
    follow(store, folder)
    await store.until(has(2))
    expect(subjects(store)).toEqual([`app-${AGO - 6 * days}.service`, unit(0)])
  })

  test('of several boots: all are read back, and each event has its own', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    const later = { ...failed(AGO + 10), _BOOT_ID: 'b'.repeat(32), __MONOTONIC_TIMESTAMP: '5000000' }
    addToJournal(folder, [...fails(0, 1), later])
    follow(store, folder)
    await store.until(has(4))
    const [before, after] = ['55555555-5555-5555-5555-555555555555', 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb']
    expect(store.events.map(({ type, bootId }) => [type, bootId])).toEqual([
      ['unit.failed', before],
      ['unit.failed', before],
      ['system.unclean-end', before],
      ['unit.failed', after],
    ])
  })

  test('a boot that began while diagd was away is read from its start, and what ended the one before', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    const first = follow(store, folder)
    await store.until(has(1))
    await first.close()
    const later = (index: number) => ({ ...failed(AGO + 10 + index), _BOOT_ID: 'b'.repeat(32) })
    const target = { UNIT: 'reboot.target', MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf', MESSAGE: 'Reached target' }
    addToJournal(folder, [...fails(1), { ...failed(AGO + 2), ...target }, later(0), later(1)])
    follow(store, folder)
    await store.until(has(5))
    const types = ['unit.failed', 'unit.failed', 'system.shutdown', 'unit.failed', 'unit.failed']
    expect(store.events.map(({ type }) => type)).toEqual(types)
  })

  test('is closed at once, with nothing left running', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    const follower = follow(store, folder)
    await follower.caughtUp
    addToJournal(folder, fails(1))
    await store.until(has(2))
    const children = childrenWith(folder)
    expect(children).toHaveLength(1)
    await follower.close()
    expect(children.map(isGone)).toEqual([true])
  })

  test('journalctl that dies is started again, and no event is lost or repeated', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    const follower = follow(store, folder)
    await follower.caughtUp
    addToJournal(folder, fails(1))
    await store.until(has(2))
    for (const pid of childrenWith(folder)) process.kill(pid, 'SIGKILL')
    addToJournal(folder, fails(2))
    await store.until(has(3))
    expect(subjects(store)).toEqual([unit(0), unit(1), unit(2)])
    expect(follower.health()).toMatchObject({ state: 'following', events: 3, missingEntries: 0 })
  })
})

describe('without a journal', () => {
  test('that is said once, and is no failure', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    mkdirSync(join(folder, 'var/log/journal'), { recursive: true })
    const first = follow(store, folder, { place: { root: folder } })
    await first.caughtUp
    expect(first.health()).toMatchObject({ state: 'absent', problem: expect.stringContaining('there is no journal') })
    await first.close()
    const second = follow(store, folder, { place: { root: folder } })
    await second.caughtUp
    await second.close()
    expect(store.events).toMatchObject([{ type: 'journal.absent', source: 'diagd', bootId: 'here' }])
  })

  test.skipIf(!canMakeJournals)('without journalctl it waits, and says so', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    const follower = follow(store, folder, { path: temporaryFolder() })
    await follower.caughtUp
    expect(follower.health()).toMatchObject({ state: 'waiting', problem: 'journalctl is not installed' })
    expect(store.events).toEqual([])
  })

  test.skipIf(!canMakeJournals)('what journalctl says when it fails is in its health', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    addToJournal(folder, fails(0))
    const path = fakeCommand('journalctl', 'echo "Failed to open: no such thing" >&2; exit 3')
    const follower = follow(store, folder, { path })
    await follower.caughtUp
    const problem = 'journalctl exited with code 3: Failed to open: no such thing'
    expect(follower.health()).toMatchObject({ state: 'waiting', problem })
  })

  test.skipIf(!canMakeJournals)(
    'journalctl is asked to follow by cursor, for the fields that are needed alone',
    async () => {
      const [folder, store] = [temporaryFolder(), memoryStore()]
      addToJournal(folder, fails(0))
      const said = join(temporaryFolder(), 'arguments')
      const path = fakeCommand('journalctl', `echo "$@" >> ${said}; exec /usr/bin/journalctl "$@"`)
      const first = follow(store, folder, { path })
      await first.caughtUp
      addToJournal(folder, fails(1))
      await store.until(has(2))
      await first.close()
      const second = follow(store, folder, { path })
      await second.caughtUp
      await second.close()
      const common = String.raw`--no-pager --quiet --output=json --output-fields=MESSAGE,\S+ --directory=\S+`
      const runs = readFileSync(said, 'utf8').trim().split('\n')
      expect(runs[0]).toMatch(new RegExp(String.raw`^${common} --since=@\d+$`))
      expect(runs[1]).toMatch(new RegExp(String.raw`^--follow --no-tail ${common} --cursor=s=\S+$`))
      expect(runs[2]).toMatch(new RegExp(String.raw`^${common} --cursor=s=\S+$`))
      expect(runs.slice(3).every((run) => run.startsWith('--follow'))).toBe(true)
    },
  )
})

/** Processes of journalctl that follow that folder. */
function childrenWith(folder: string): number[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return listed
    .filter((line) => line.includes('journalctl') && line.includes('--follow') && line.includes(folder))
    .map((line) => Number.parseInt(line, 10))
}
