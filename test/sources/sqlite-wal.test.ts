/** Logs that SQLite wrote, read without SQLite: up to the last commit, and no further than they add up. */
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { indexWal, parseWalHeader, sameLog, type WalIndex } from '../../src/sources/sqlite-wal.ts'
import { ownFolder } from '../helpers/source.ts'

const PAGE = 4096
const FRAME = PAGE + 24

async function index(log: Buffer, mostFrames?: number): Promise<WalIndex> {
  const header = parseWalHeader(log.subarray(0, 32))!
  return indexWal(header, async (position, length) => log.subarray(position, position + length), mostFrames)
}

/** What SQLite makes of a database with that log: it recovers it. */
function pagesBySqlite(path: string): number {
  const db = new Database(path)
  try {
    return db.pragma('page_count', { simple: true }) as number
  } finally {
    db.close()
  }
}

/** A database whose log has what `write` wrote, each statement a commit; copied as a crash leaves it. */
async function logOf(write: (db: Database.Database) => void): Promise<{ log: Buffer; path: string }> {
  const folder = await ownFolder()
  const db = new Database(join(folder, 'live.db'))
  onTestFinished(() => void db.close())
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t (text)')
  write(db)
  const path = join(folder, 'crashed.db')
  for (const end of ['', '-wal']) copyFileSync(db.name + end, path + end)
  return { log: readFileSync(`${path}-wal`), path }
}

const row = (letter: string, length = 3000) => `INSERT INTO t VALUES ('${letter.repeat(length)}')`

describe('the index', () => {
  test('has the newest content of every page, and how many there are', async () => {
    const { log, path } = await logOf((db) => {
      for (const letter of 'abcdef') db.exec(row(letter))
    })
    const { pages, pageCount } = await index(log)
    expect(pageCount).toBe(pagesBySqlite(path))
    expect([...pages.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: pageCount! }, (_, at) => at + 1))
    const content = [...pages.values()].map((at) => log.toString('latin1', at, at + PAGE))
    for (const letter of 'abcdef') expect(content.some((text) => text.includes(letter.repeat(3000)))).toBe(true)
  })

  test('leaves out what was not committed', async () => {
    const { log, path } = await logOf((db) => {
      db.exec(row('a'))
      db.pragma('cache_size = 1')
      db.exec('BEGIN')
      for (let rows = 0; rows < 50; rows++) db.exec(row('z'))
    })
    expect(log.length).toBeGreaterThan(40 * FRAME)
    const { pages, pageCount } = await index(log)
    expect(pageCount).toBe(pagesBySqlite(path))
    const content = [...pages.values()].map((at) => log.toString('latin1', at, at + PAGE)).join('')
    expect(content).toContain('aaa')
    expect(content).not.toContain('zzz')
  })

  test('ends before a frame that does not add up', async () => {
    const { log } = await logOf((db) => {
      for (const letter of 'abcdef') db.exec(row(letter))
    })
    const whole = await index(log)
    const last = Math.max(...whole.pages.values())
    log[last + 4000]! ^= 1
    const cut = await index(log)
    expect(cut.pageCount).toBe(whole.pageCount! - 1)
    expect([...cut.pages.values()]).not.toContain(last)
    // Nor does it go on behind it.
    log[32 + 24 + 100]! ^= 1
    expect(await index(log)).toEqual({ pages: new Map(), pageCount: undefined })
  })

  test('ends where a new log ends and the old one still stands', async () => {
    const { log, path } = await logOf((db) => {
      for (let rows = 0; rows < 50; rows++) db.exec(row('o'))
      db.pragma('wal_checkpoint(RESTART)')
      db.exec(row('n'))
    })
    expect(log.length).toBeGreaterThan(40 * FRAME)
    const { pages, pageCount } = await index(log)
    expect(pages.size).toBeLessThan(5)
    expect(pageCount).toBe(pagesBySqlite(path))
  })

  test('goes no further than it is told, and then to the commit before', async () => {
    const { log } = await logOf((db) => {
      for (const letter of 'abc') db.exec(row(letter))
      db.exec('BEGIN')
      for (let rows = 0; rows < 10; rows++) db.exec(row('d'))
      db.exec('COMMIT')
    })
    const frames = (log.length - 32) / FRAME
    const all = await index(log, frames)
    expect(all).toEqual(await index(log))
    const fewer = await index(log, frames - 1)
    expect(fewer.pageCount).toBe(all.pageCount! - 10)
    expect((await index(log, 0)).pageCount).toBeUndefined()
  })

  test('is the same for words the other way round, as machines of other kinds write them', async () => {
    const { log } = await logOf((db) => {
      for (const letter of 'abc') db.exec(row(letter))
    })
    const swapped = bigEndian(log)
    expect(swapped.equals(log)).toBe(false)
    expect(await index(swapped)).toEqual(await index(log))
  })
})

describe('a header', () => {
  test.each([
    ['is too short', (bytes: Buffer) => bytes.subarray(0, 31)],
    ['has another magic number', (bytes: Buffer) => changed(bytes, 2)],
    ['has another format', (bytes: Buffer) => changed(bytes, 7)],
    ['does not add up', (bytes: Buffer) => changed(bytes, 17)],
    ['is of zeros', () => Buffer.alloc(32)],
  ])('that %s is none', async (_, change) => {
    const { log } = await logOf((db) => db.exec(row('a')))
    expect(parseWalHeader(log.subarray(0, 32))).toMatchObject({ pageSize: PAGE })
    expect(parseWalHeader(change(Buffer.from(log.subarray(0, 32))))).toBeUndefined()
  })

  test('tells one log from the next', async () => {
    const headers = await Promise.all(
      [1, 2].map(async () => parseWalHeader((await logOf((db) => db.exec(row('a')))).log.subarray(0, 32))!),
    )
    expect(sameLog(headers[0]!, headers[0])).toBe(true)
    expect(sameLog(headers[0]!, headers[1])).toBe(false)
    expect(sameLog(headers[0]!, undefined)).toBe(false)
  })
})

function changed(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 0x10
  return bytes
}

/** The same log with its sums over big-endian words. */
function bigEndian(log: Buffer): Buffer {
  const out = Buffer.from(log)
  let [a, b] = [0, 0]
  const add = (from: number, to: number) => {
    for (let at = from; at < to; at += 8) {
      a = Number((BigInt(a) + BigInt(out.readUInt32BE(at)) + BigInt(b)) % 0x100000000n)
      b = Number((BigInt(b) + BigInt(out.readUInt32BE(at + 4)) + BigInt(a)) % 0x100000000n)
    }
  }
  const sign = (at: number) => {
    out.writeUInt32BE(a, at)
    out.writeUInt32BE(b, at + 4)
  }
  out[3]! |= 1
  add(0, 24)
  sign(24)
  for (let at = 32; at < out.length; at += FRAME) {
    add(at, at + 8)
    add(at + 24, at + FRAME)
    sign(at + 16)
  }
  return out
}
