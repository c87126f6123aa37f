/** The thread of the logs: fed faster than it writes, ended when nobody needs it, hung in a rule, and beside a disk that is full. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { UserRule } from '../../../src/redact/user-rules.ts'
import { FLOOD_LIMITS } from '../../../src/record/containers/frames/flood.ts'
import {
  LogThread,
  PUSH_BYTES,
  type LogEvents,
  type LogThreadSettings,
} from '../../../src/record/containers/thread/log-thread.ts'
import { Masker } from '../../../src/record/containers/thread/masker.ts'
import { OpenLog } from '../../../src/record/containers/thread/open-log.ts'
import { stateFolder } from './tail-kit.ts'
import { frameOf, lineOf, numbersIn, stampOfLine, textOf, upTo } from './kit.ts'

/** What a test hears of the thread as a whole. */
function threadIn(folder: string, settings: Partial<LogThreadSettings> = {}, userRules: readonly UserRule[] = []) {
  const heard = { broke: [] as string[], disk: [] as (string | undefined)[], withheld: 0 }
  const thread = new LogThread(
    {
      folder,
      maxLogBytes: 1e9,
      maxBytes: 1e9,
      maxRemoved: 10,
      flood: { ...FLOOD_LIMITS, burstBytes: 1e12 },
      ...settings,
    },
    {
      counted: ({ withheld }) => (heard.withheld += withheld),
      kept: () => {},
      disk: (problem) => heard.disk.push(problem),
      broke: (reason) => heard.broke.push(reason),
    },
  )
  thread.setMask({ options: { key: new Uint8Array(32), userRules }, rules: 'r', values: 0 })
  onTestFinished(() => thread.close())
  return { thread, heard }
}

/** A log, and a way to push all of a text that waits where it has to. */
function logIn(thread: LogThread, folder: string, events: Partial<LogEvents> = {}) {
  let ready = () => {}
  let lost = () => {}
  const handle = thread.open(folder, {
    lost: () => lost(),
    ready: () => ready(),
    trouble: () => {},
    counted: () => {},
    ...events,
  })
  return {
    handle,
    isLost: () => new Promise<void>((resolve) => (lost = resolve)),
    /** How often it had to wait. */
    async push(bytes: Buffer): Promise<number> {
      let waits = 0
      for (let at = 0; at < bytes.length; at += PUSH_BYTES) {
        const piece = bytes.subarray(at, at + PUSH_BYTES)
        const isReady = new Promise<void>((resolve) => (ready = resolve))
        if (handle.push(piece, piece.length)) continue
        waits += 1
        await isReady
      }
      return waits
    },
  }
}

const framesOf = (from: number, count: number) =>
  Buffer.concat(upTo(count).map((index) => frameOf(lineOf(from + index))))

test('whoever is faster than the thread has to wait, and nothing is lost', async () => {
  const state = await stateFolder()
  const { thread } = threadIn(state)
  const logs = ['a', 'b'].map((name) => logIn(thread, join(state, 'engine', name)))
  const frames = framesOf(0, 60_000)
  for (const { handle } of logs) {
    await handle.place()
    handle.begin()
  }
  const waits = await Promise.all(logs.map(({ push }) => push(frames)))
  expect(Math.min(...waits)).toBeGreaterThan(0)
  await thread.flush()
  for (const name of ['a', 'b']) expect(numbersIn(await textOf(join(state, 'engine', name)))).toEqual(upTo(60_000))
})

test('it ends when there is nothing to do, and a log goes on in the next one', async () => {
  const state = await stateFolder()
  const { thread, heard } = threadIn(state, { idleMs: 20 })
  const folder = join(state, 'engine', 'a')
  const { handle, push } = logIn(thread, folder)
  await handle.place()
  handle.begin()
  for (let round = 0; round < 5; round++) {
    await push(framesOf(round * 10, 10))
    await thread.flush()
    while (thread.runs) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(numbersIn(await textOf(folder))).toEqual(upTo(50))
  expect(await handle.place()).toMatchObject({ since: expect.stringMatching(/\.049000000$/) as string })
  expect(heard.broke).toEqual([])
})

test(
  'a rule that hangs costs the lines that it hung on, and says so; the others are kept',
  { timeout: 60_000 },
  async () => {
    const state = await stateFolder()
    const slow = { name: 'slow', pattern: '(?<secret>(?:a|a)*b)' }
    const { thread, heard } = threadIn(state, { watchdogMs: 1000 }, [slow])
    const folders = [join(state, 'engine', 'bad'), join(state, 'engine', 'good')]
    const [bad, good] = folders.map((folder) => logIn(thread, folder))
    for (const { handle } of [bad!, good!]) {
      await handle.place()
      handle.begin()
    }
    await good!.push(framesOf(0, 10))
    await thread.flush()
    const lost = Promise.all([bad!.isLost(), good!.isLost()])
    const poison = frameOf(`${stampOfLine(10)} stdout F ${'a'.repeat(60)}\n`)
    await bad!.push(poison)
    await lost
    expect(heard.broke).toEqual(['the rules were not done with a text after 1 s'])
    // Both are asked for again: of one it is known what was stored, the other sends the same once more.
    for (;;) {
      const place = await good!.handle.place().catch(() => undefined)
      if (place) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    good!.handle.begin()
    await good!.push(framesOf(0, 20))
    await bad!.handle.place()
    bad!.handle.begin()
    const later = frameOf('2099-01-01T00:00:00.000000000Z stdout F later\n')
    await bad!.push(poison)
    await thread.flush()
    await bad!.push(later)
    await thread.flush()
    expect(numbersIn(await textOf(folders[1]!))).toEqual(upTo(20))
    expect(await textOf(folders[0]!)).toBe(
      '… 1 lines withheld, for they could not be masked: the mask was not done with them in time …\n' +
        '2099-01-01T00:00:00.000000000Z stdout F later\n',
    )
    expect(heard.withheld).toBe(1)
  },
)

test('a secret of many lines is masked though it comes in pieces, and diagd forgets nothing of it between them', async () => {
  const state = await stateFolder()
  const { thread } = threadIn(state)
  const folder = join(state, 'engine', 'a')
  const { handle, push } = logIn(thread, folder)
  await handle.place()
  handle.begin()
  const body = upTo(8).map((index) => `${index}A${'kQ9vX2'.repeat(10)}${index}Z`)
  const key = ['-----BEGIN RSA PRIVATE KEY-----', ...body, '-----END RSA PRIVATE KEY-----', 'behind it']
  for (const [index, line] of key.entries()) {
    await push(frameOf(`${stampOfLine(index)} stdout F ${line}\n`))
    await thread.flush()
  }
  const text = await textOf(folder)
  expect(text).toContain('-----BEGIN RSA PRIVATE KEY-----')
  expect(text).toContain('behind it')
  for (const line of body) expect(text).not.toContain(line)
})

describe('a key whose first line was never read', () => {
  const body = upTo(8).map((index) => `${index}A${'kQ9vX2'.repeat(10)}${index}Z`)
  const end = '-----END RSA PRIVATE KEY-----'
  const frames = (lines: readonly string[], from = 0) =>
    Buffer.concat(lines.map((line, index) => frameOf(`${stampOfLine(from + index)} stdout F ${line}\n`)))

  test('is masked before it is stored', async () => {
    const state = await stateFolder()
    const { thread } = threadIn(state)
    const folder = join(state, 'engine', 'a')
    const { handle, push } = logIn(thread, folder)
    await handle.place()
    handle.begin()
    await push(frames([...body, end, 'behind it']))
    await thread.flush()
    const text = await textOf(folder)
    for (const line of body) expect(text).not.toContain(line)
    expect(text).toContain(`${end}\n`)
    expect(text).toContain('behind it')
  })

  test('waits for its last line, once', async () => {
    const folder = join(await stateFolder(), 'engine', 'a')
    const masker = new Masker({ options: { key: new Uint8Array(32) }, rules: 'r', values: 0 })
    const log = new OpenLog({ folder, maxBytes: 1e9, flood: FLOOD_LIMITS, withholdUntil: undefined }, masker)
    onTestFinished(() => log.close())
    log.begin()
    log.push(frames(['an ordinary line']))
    expect(log.waitsForKey()).toBe(false)
    log.push(frames(body, 1))
    expect([log.waitsForKey(), log.waitsForKey()]).toEqual([true, false])
    log.push(frames([end], 9))
    expect(log.waitsForKey()).toBe(false)
    log.store(masker)
    const text = await textOf(folder)
    for (const line of body) expect(text).not.toContain(line)
    expect(text).toContain('an ordinary line')
  })

  test('is not torn by the size of what is masked at once', async () => {
    const folder = join(await stateFolder(), 'engine', 'a')
    const masker = new Masker({ options: { key: new Uint8Array(32) }, rules: 'r', values: 0 })
    const flood = { ...FLOOD_LIMITS, burstBytes: 1e12 }
    const log = new OpenLog({ folder, maxBytes: 1e9, flood, withholdUntil: undefined }, masker)
    onTestFinished(() => log.close())
    log.begin()
    log.push(frames(Array.from({ length: 255 }, () => 'x y '.repeat(250))))
    expect(log.isFull).toBe(true)
    log.push(frames(body, 300))
    expect(log.isFull).toBe(false)
    log.push(frames([end], 308))
    expect(log.isFull).toBe(true)
  })
})

test('without rules nothing is kept but the number of lines', async () => {
  const state = await stateFolder()
  const { thread } = threadIn(state)
  thread.setMask({ options: undefined, rules: '', values: 0 })
  const folder = join(state, 'engine', 'a')
  const { handle, push } = logIn(thread, folder)
  await handle.place()
  handle.begin()
  await push(framesOf(0, 10))
  await thread.flush()
  expect(await textOf(folder)).toBe(
    '… 10 lines withheld, for they could not be masked: the configuration of the mask cannot be understood …\n',
  )
  await expect(thread.document(folder, 'state.json', '{}')).rejects.toThrow('cannot be understood')
})

describe.runIf(process.geteuid?.() === 0)('a disk that is full', () => {
  test('takes nothing, which is said, and all that waited when there is room', async () => {
    const state = await stateFolder()
    const disk = join(state, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
    onTestFinished(() => void execFileSync('umount', ['--lazy', disk]))
    const { thread, heard } = threadIn(disk)
    const folder = join(disk, 'engine', 'a')
    const { handle, push } = logIn(thread, folder)
    await handle.place()
    handle.begin()
    fill(join(disk, 'filler'))
    const pushed = push(framesOf(0, 5000))
    await expect(thread.flush()).rejects.toThrow('ENOSPC')
    expect(heard.disk.at(-1)).toContain('ENOSPC')
    rmSync(join(disk, 'filler'))
    await thread.flush()
    // More than may wait: whoever pushes was held up.
    expect(await pushed).toBeGreaterThan(0)
    await thread.flush()
    expect(heard.disk.at(-1)).toBeUndefined()
    expect(numbersIn(await textOf(folder))).toEqual(upTo(5000))
  })
})

function fill(path: string): void {
  const fd = openSync(path, 'w')
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096, 1))
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(fd)
  }
}
