import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readOn } from '../../../src/record/cloud-init/file.ts'
import { followCloudInit } from '../../../src/record/cloud-init/follow.ts'
import { CloudInitReader } from '../../../src/record/cloud-init/reader.ts'
import { temporaryFolder } from '../../helpers/commands.ts'
import { counted, memoryStore, type MemoryStore } from '../helpers/memory-store.ts'

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/cloud-init', name)
const DEBIAN = readFileSync(fixture('debian-12.log'), 'utf8')

function eventsOf(text: string) {
  const reader = new CloudInitReader()
  return text
    .split('\n')
    .map((line) => reader.read(line))
    .filter((event) => event !== undefined)
}

const told = (text: string) =>
  eventsOf(text)
    .filter(({ type }) => !/module-(?:started|finished)$/.test(type))
    .map(({ type, subject }) => `${type.slice('cloud-init.'.length)} ${subject}`)

describe('the log of cloud-init', () => {
  test('of Ubuntu: stages, what failed, the end', () => {
    expect(told(readFileSync(fixture('ubuntu-22.04.log'), 'utf8'))).toEqual([
      'stage-started init-local',
      'stage-finished init-local',
      'stage-started init-network',
      'stage-finished init-network',
      'stage-started modules-config',
      'stage-finished modules-config',
      'stage-started modules-final',
      'warning cc_scripts_user.py',
      'module-failed modules-final/config-scripts_user',
      'warning log_util.py',
      'finished DataSourceEc2Local',
      'stage-failed modules-final',
    ])
  })

  test('of Debian: three boots, each with its stages; the module that failed in the first', () => {
    const stages = told(DEBIAN).filter((line) => line.startsWith('stage-started'))
    const boot = ['init-local', 'init-network', 'modules-config', 'modules-final'].map(
      (name) => `stage-started ${name}`,
    )
    expect(stages).toEqual([...boot, ...boot, ...boot])
    expect(told(DEBIAN).filter((line) => line.includes('failed'))).toEqual([
      'module-failed modules-config/config-runcmd',
      'stage-failed modules-config',
    ])
  })

  test('tells in UTC, and by its own words how long the machine had run', () => {
    const [first, second] = eventsOf(readFileSync(fixture('ubuntu-22.04.log'), 'utf8'))
    const timeMs = Date.parse('2026-06-14T07:12:52.425Z')
    expect(first).toMatchObject({
      timeMs,
      monotonicMs: 5900,
      detail: { upSeconds: 5.9, version: '25.1.4-0ubuntu0~22.04.1' },
    })
    expect(second).toMatchObject({ type: 'cloud-init.module-started', monotonicMs: 5938, level: 'debug' })
  })

  test('has lines that say nothing: stack traces, debugging, half ones', () => {
    const lines = [
      'Traceback (most recent call last):',
      '  File "x", line 1',
      '',
      '2026-06-14 07:12:52,425 - main.py',
      '2026-13-41 01:36:52,425 - util.py[WARNING]: x',
    ]
    expect(eventsOf(lines.join('\n'))).toEqual([])
  })
})

describe('the file, followed', () => {
  /** Its events, as the file is read from where the store says, until there is no more. */
  async function follow(store: MemoryStore, file: string, satisfied: (store: MemoryStore) => boolean): Promise<void> {
    const follower = followCloudInit({ sink: store, file, bootAt: async () => 'boot', everyMs: 20 })
    onTestFinished(() => follower.close())
    await store.until(satisfied)
    await follower.close()
  }
  const all = eventsOf(DEBIAN).length

  test('gives each event once, over restarts and while it grows', async () => {
    const [file, store] = [join(temporaryFolder(), 'cloud-init.log'), memoryStore()]
    const lines = DEBIAN.split(/(?<=\n)/)
    writeFileSync(file, lines.slice(0, 100).join(''))
    await follow(store, file, () => store.cursors.size > 0)
    const before = store.events.length
    expect(before).toBe(eventsOf(lines.slice(0, 100).join('')).length)
    appendFileSync(file, lines.slice(100).join('').slice(0, -10))
    await follow(store, file, ({ events }) => events.length >= all - 1)
    appendFileSync(file, DEBIAN.slice(-10))
    await follow(store, file, ({ events }) => events.length >= all)
    expect(store.events).toEqual(eventsOf(DEBIAN).map((event) => Object.assign(event, { bootId: 'boot' })))
  })

  test('however it grows and wherever it is killed', async () => {
    const file = join(temporaryFolder(), 'cloud-init.log')
    const text = DEBIAN.slice(0, 6000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(text.length), stored: fc.boolean() }), { maxLength: 10 }),
        async (steps) => {
          rmSync(file, { force: true })
          let kept = ''
          let place: Parameters<typeof readOn>[1]
          for (const { at, stored } of [...steps.toSorted((a, b) => a.at - b.at), { at: text.length, stored: true }]) {
            writeFileSync(file, text.slice(0, at))
            const part = await readOn(file, place)
            if (part === undefined || !stored) continue
            expect(part.hole).toBe(false)
            kept += part.lines.map((line) => `${line}\n`).join('')
            place = part.place
          }
          expect(kept).toBe(text.slice(0, text.lastIndexOf('\n') + 1))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('rotated: the rest of the old one, then the new one', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    const file = join(folder, 'cloud-init.log')
    const lines = DEBIAN.split(/(?<=\n)/)
    writeFileSync(file, lines.slice(0, 100).join(''))
    await follow(store, file, () => store.cursors.size > 0)
    appendFileSync(file, lines.slice(100, 200).join(''))
    renameSync(file, `${file}.1`)
    writeFileSync(file, lines.slice(200).join(''))
    await follow(store, file, ({ events }) => events.length >= all)
    expect(store.events.map(({ message }) => message)).toEqual(eventsOf(DEBIAN).map(({ message }) => message))
  })

  test('cut off, or another file in its place: from its start, and that something is missing', async () => {
    const [folder, store] = [temporaryFolder(), memoryStore()]
    const file = join(folder, 'cloud-init.log')
    copyFileSync(fixture('debian-12.log'), file)
    await follow(store, file, ({ events }) => events.length >= all)
    truncateSync(file, 0)
    const fresh = readFileSync(fixture('ubuntu-22.04.log'), 'utf8')
    writeFileSync(file, fresh)
    const more = eventsOf(fresh).length
    await follow(store, file, ({ events }) => events.length >= all + 1 + more)
    expect(store.events[all]).toMatchObject({ type: 'cloud-init.log-hole', subject: file })
    expect(counted(store.events)['cloud-init.log-hole']).toBe(1)
    // The same inode with as many bytes as before, and others.
    truncateSync(file, 0)
    writeFileSync(file, DEBIAN.slice(0, fresh.length))
    await follow(store, file, ({ events }) => counted(events)['cloud-init.log-hole'] === 2)
  })

  test('which is no file is left alone', async () => {
    const folder = temporaryFolder()
    expect(await readOn(join(folder, 'none.log'), undefined)).toBeUndefined()
    expect(await readOn(folder, undefined)).toBeUndefined()
    expect(await readOn('/dev/zero', undefined)).toBeUndefined()
  })
})
