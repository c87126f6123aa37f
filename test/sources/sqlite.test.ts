/** Copies of databases that are written meanwhile. SNAPSHOT_COPIES, SNAPSHOT_ROWS and SNAPSHOT_RATE (bytes a second) make the test of all as long as wanted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  openSnapshot,
  type Snapshot,
  type SnapshotEnd,
  type SnapshotOptions,
} from '../../src/sources/sqlite-snapshot.ts'
import { openDatabase } from '../../src/sources/sqlite.ts'
import { drained, ownFolder, sourceContext } from '../helpers/source.ts'

const WRITER = fileURLToPath(new URL('sqlite-writer.ts', import.meta.url))
const COPIES = Number(process.env.SNAPSHOT_COPIES ?? 6)
const ROWS_PER_SECOND = Number(process.env.SNAPSHOT_ROWS ?? 5000)
const BYTES_PER_SECOND = Number(process.env.SNAPSHOT_RATE ?? Infinity)

function snapshotOf(path: string, more: Partial<SnapshotOptions> = {}): Promise<Snapshot> {
  return openSnapshot(path, { patience: { ms: 15_000, signal: new AbortController().signal }, ...more })
}

/** `between` runs before every chunk but the first. */
async function copied(
  snapshot: Snapshot,
  between: () => unknown = () => {},
): Promise<{ bytes: Buffer; end: SnapshotEnd }> {
  const parts: Buffer[] = []
  for (;;) {
    const step = await snapshot.chunks.next()
    if (step.done) return { bytes: Buffer.concat(parts), end: step.value }
    parts.push(Buffer.from(step.value))
    await between()
  }
}

/** The database in the bytes: whole, and what a query finds there. */
function within(bytes: Buffer, sql: string): unknown[] {
  const db = new Database(bytes)
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

/** A database in WAL mode; closed when the test ends. */
async function opened(pageSize = 4096): Promise<Database.Database> {
  const db = new Database(join(await ownFolder(), 'test.db'))
  onTestFinished(() => void db.close())
  db.pragma(`page_size = ${pageSize}`)
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX texts ON t (text)')
  return db
}

function fill(db: Database.Database, rows: number, text = 'x'): void {
  const put = db.prepare('INSERT INTO t (text) VALUES (?)')
  db.transaction(() => {
    for (let row = 0; row < rows; row++) put.run(`${text} ${row} ${'x'.repeat(300)}`)
  }).immediate()
}

/** However slow the machine is that the test runs on. */
const UNBOUNDED = { mostMs: 1e6, mostLogBytes: Infinity }

const FACTS = 'SELECT count(*) AS n, max(text) AS last FROM t'

describe('the log', () => {
  test.each([512, 4096, 65_536])('is followed to its last commit, with pages of %d bytes', async (pageSize) => {
    const db = await opened(pageSize)
    for (let round = 0; round < 20; round++) {
      fill(db, 50, `r${String(round).padStart(2, '0')}`)
      if (round % 3 === 0) db.prepare('DELETE FROM t WHERE id % 7 = ?').run(round % 7)
      if (round % 6 === 0) db.pragma('wal_checkpoint(PASSIVE)')
    }
    const snapshot = await snapshotOf(db.name)
    const { bytes, end } = await copied(snapshot)
    expect(end).toEqual({ whole: true })
    expect(bytes).toHaveLength(snapshot.sizeBytes)
    expect(within(bytes, 'SELECT * FROM t')).toEqual(db.prepare('SELECT * FROM t').all())
  })

  test('holds what is not committed yet, which is left out', async () => {
    const db = await opened()
    fill(db, 100)
    db.pragma('cache_size = 5')
    db.exec('BEGIN IMMEDIATE')
    db.prepare(`UPDATE t SET text = text || 'changed'`).run()
    const put = db.prepare('INSERT INTO t (text) VALUES (?)')
    for (let row = 0; row < 2000; row++) put.run('open'.repeat(100))
    // The cache is small: most of it is in the log already.
    expect(statSync(`${db.name}-wal`).size).toBeGreaterThan(500_000)
    const { bytes, end } = await copied(await snapshotOf(db.name))
    db.exec('ROLLBACK')
    expect(end).toEqual({ whole: true })
    expect(within(bytes, 'SELECT * FROM t')).toEqual(db.prepare('SELECT * FROM t').all())
  })

  test('that was begun anew still has old frames behind its end, which do not count', async () => {
    const db = await opened()
    fill(db, 3000, 'old')
    db.pragma('wal_checkpoint(RESTART)')
    db.prepare('DELETE FROM t').run()
    fill(db, 3, 'new')
    const { bytes } = await copied(await snapshotOf(db.name))
    expect(within(bytes, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 3 }])
  })
})

describe('while a copy is read, the copy does not change', () => {
  test('when all was in the database before: the log begins anew and is written over', async () => {
    const db = await opened()
    fill(db, 20_000)
    db.pragma('wal_checkpoint(PASSIVE)')
    const before = db.prepare(FACTS).all()
    let round = 0
    const { bytes, end } = await copied(await snapshotOf(db.name, UNBOUNDED), () => {
      fill(db, 1000, `later ${round++}`)
      db.prepare(`UPDATE t SET text = 'over' WHERE id % 50 = 0`).run()
      db.pragma('busy_timeout = 0')
      db.pragma('wal_checkpoint(TRUNCATE)')
    })
    expect(round).toBeGreaterThan(5)
    expect(end).toEqual({ whole: true })
    expect(within(bytes, FACTS)).toEqual(before)
  })

  test('when some was in the log: it is moved into the database meanwhile', async () => {
    const db = await opened()
    fill(db, 15_000, 'first')
    // Somebody else reads, so that not all can be moved.
    const other = new Database(db.name, { readonly: true })
    other.exec('BEGIN')
    other.prepare(FACTS).all()
    fill(db, 5000, 'second')
    db.prepare(`UPDATE t SET text = 'over' WHERE id % 3 = 0`).run()
    db.pragma('wal_checkpoint(PASSIVE)')
    const before = db.prepare(FACTS).all()
    const snapshot = await snapshotOf(db.name, UNBOUNDED)
    other.close()
    let round = 0
    const { bytes, end } = await copied(snapshot, () => {
      fill(db, 2000, `later ${round++}`)
      db.prepare('DELETE FROM t WHERE id BETWEEN ? AND ?').run(round * 700, round * 700 + 500)
      db.pragma('wal_checkpoint(PASSIVE)')
    })
    expect(round).toBeGreaterThan(5)
    expect(end).toEqual({ whole: true })
    expect(within(bytes, FACTS)).toEqual(before)
  })

  test('when the file becomes shorter', async () => {
    const folder = await ownFolder()
    const db = new Database(join(folder, 'test.db'))
    onTestFinished(() => void db.close())
    db.pragma('auto_vacuum = FULL')
    db.pragma('journal_mode = WAL')
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)')
    fill(db, 20_000)
    db.pragma('wal_checkpoint(TRUNCATE)')
    const before = db.prepare(FACTS).all()
    const { bytes, end } = await copied(await snapshotOf(db.name), () => {
      db.prepare('DELETE FROM t WHERE id > 100').run()
      db.pragma('wal_checkpoint(PASSIVE)')
    })
    expect(end).toEqual({ whole: true })
    expect(within(bytes, FACTS)).toEqual(before)
    expect((await snapshotOf(db.name)).sizeBytes).toBeLessThan(bytes.length / 10)
  })
})

test(
  `${COPIES} copies are exact while another process writes ${ROWS_PER_SECOND} rows a second, two at a time`,
  { timeout: 60_000 + COPIES * 60_000 },
  async () => {
    const path = join(await ownFolder(), 'test.db')
    const writer = spawn(process.execPath, [WRITER, path, String(ROWS_PER_SECOND)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void writer.kill('SIGKILL'))
    await once(writer.stdout, 'data')
    const counts: number[] = []
    const one = async (): Promise<void> => {
      const began = performance.now()
      let read = 0
      const snapshot = await snapshotOf(path)
      const { bytes, end } = await copied(snapshot, () => {
        read += 1024 * 1024
        const dueMs = (read / BYTES_PER_SECOND) * 1000 - (performance.now() - began)
        return dueMs > 0 ? new Promise((resolve) => setTimeout(resolve, dueMs)) : undefined
      })
      expect(end).toEqual({ whole: true })
      const sql = 'SELECT facts.*, (SELECT count(*) FROM rows) AS rows, (SELECT total(id) FROM rows) AS ids FROM facts'
      const [facts] = within(bytes, sql) as { count: number; sum: number; rows: number; ids: number }[]
      expect([facts!.count, facts!.sum]).toEqual([facts!.rows, facts!.ids])
      counts.push(facts!.sum)
    }
    for (let copy = 0; copy < COPIES; copy += 2) await Promise.all([one(), one()])
    expect(new Set(counts).size).toBeGreaterThan(COPIES / 2 - 1)
    expect(writer.exitCode).toBeNull()
  },
)

describe('a copy that', () => {
  test('takes too long ends, whether or not anybody reads, and SQLite can clear its log', async () => {
    const db = await opened()
    fill(db, 5000)
    const snapshot = await snapshotOf(db.name, { mostMs: 200 })
    fill(db, 5000)
    db.pragma('busy_timeout = 0')
    // Waits for the reader to go: it goes though nobody pulls.
    while ((db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[])[0]!.busy === 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    const { bytes, end } = await copied(snapshot)
    expect(bytes).toHaveLength(0)
    expect(end).toEqual({
      whole: false,
      detail: `the copy took longer than 0.2 s: ${snapshot.sizeBytes} bytes are missing`,
    })
  })

  test('makes the log grow too far ends', async () => {
    const db = await opened()
    fill(db, 20_000)
    const snapshot = await snapshotOf(db.name, { mostLogBytes: 1_000_000 })
    let rounds = 0
    const { end } = await copied(snapshot, () => new Promise((resolve) => setTimeout(resolve, 500 * ++rounds)))
    expect(end).toMatchObject({
      whole: false,
      detail: expect.stringMatching(/^the log grew to \d+ bytes while it was copied: \d+ bytes are missing$/),
    })
  })

  test('nobody wants any more leaves nothing behind', async () => {
    const db = await opened()
    fill(db, 5000)
    const unread = await snapshotOf(db.name)
    await unread.chunks.return({ whole: false })
    const begun = await snapshotOf(db.name)
    await begun.chunks.next()
    await begun.chunks.return({ whole: false })
    const stopped = new AbortController()
    const ctx = sourceContext({}, { signal: stopped.signal })
    const source = await openDatabase({ path: db.name }, ctx)
    await source.chunks.next()
    stopped.abort(new Error('enough'))
    await source.chunks.return({ outcome: 'partial' })
    db.pragma('busy_timeout = 5000')
    expect(db.pragma('wal_checkpoint(TRUNCATE)')).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
  })
})

describe('as a source', () => {
  test('a database whose writer was killed is copied with what is in its log, and left as it is', async () => {
    const db = await opened()
    fill(db, 500)
    const folder = await ownFolder()
    const path = join(folder, 'dead.db')
    for (const end of ['', '-wal']) copyFileSync(db.name + end, path + end)
    const before = ['', '-wal'].map((end) => readFileSync(path + end))
    const opening = await openDatabase({ path }, sourceContext())
    const { bytes, end } = await drained(opening)
    expect(end).toEqual({ outcome: 'ok' })
    expect(opening).toMatchObject({ origin: path, sizeBytes: bytes.length, mtimeMs: statSync(path).mtimeMs })
    expect(within(bytes, FACTS)).toEqual(db.prepare(FACTS).all())
    expect(['', '-wal'].map((end) => readFileSync(path + end))).toEqual(before)
  })

  test('a database whose writer hangs, in the midst of what it does, is copied', async () => {
    const path = join(await ownFolder(), 'test.db')
    const writer = spawn(process.execPath, [WRITER, path, '50000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void writer.kill('SIGKILL'))
    await once(writer.stdout, 'data')
    writer.kill('SIGSTOP')
    const { bytes, end } = await drained(await openDatabase({ path }, sourceContext()))
    expect(end).toEqual({ outcome: 'ok' })
    expect(within(bytes, 'SELECT count(*) >= 20000 AS many FROM rows')).toEqual([{ many: 1 }])
  })

  test('a database that is none is handed over as it is, and says so', async () => {
    const path = join(await ownFolder(), 'text.db')
    writeFileSync(path, 'no database '.repeat(100_000))
    const { text, end } = await drained(await openDatabase({ path }, sourceContext()))
    expect(text).toBe('no database '.repeat(100_000))
    expect(end).toEqual({
      outcome: 'partial',
      detail:
        'copied without a lock, as SQLite says SQLITE_NOTADB (file is not a database); it did not change meanwhile',
    })
  })

  test('what changes while it is read without a lock says so, and what becomes shorter breaks off', async () => {
    const path = join(await ownFolder(), 'text.db')
    writeFileSync(path, 'no database '.repeat(400_000))
    const growing = await openDatabase({ path }, sourceContext())
    await growing.chunks.next()
    writeFileSync(path, 'x', { flag: 'r+' })
    expect((await drained(growing)).end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringMatching(/, and it changed meanwhile: it may be of several moments$/),
    })
    const shrinking = await openDatabase({ path }, sourceContext())
    await shrinking.chunks.next()
    truncateSync(path, 1_500_000)
    const { end } = await drained(shrinking)
    expect(end).toEqual({ outcome: 'partial', detail: 'ends at byte 1500000: 3751424 bytes are missing' })
  })

  test('what a crash left in a log that nobody may lock is copied all the same', async () => {
    const db = await opened()
    fill(db, 500)
    const path = join(await ownFolder(), 'dead.db')
    for (const end of ['', '-wal']) copyFileSync(db.name + end, path + end)
    // SQLite wants to make its lock file there.
    mkdirSync(`${path}-shm`)
    const { bytes, end } = await drained(await openDatabase({ path }, sourceContext()))
    expect(end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringMatching(/^copied without a lock, as SQLite says SQLITE_\w+ .*did not change/),
    })
    expect(within(bytes, FACTS)).toEqual(db.prepare(FACTS).all())
  })

  test.each([
    ['that is not there', 'absent.db', { outcome: 'skipped', quiet: true, message: /does not exist/ }],
    ['that is a folder', 'folder', { outcome: 'skipped', message: /is not a regular file/ }],
  ])('a database %s is skipped', async (_, name, error) => {
    const folder = await ownFolder()
    mkdirSync(join(folder, 'folder'))
    await expect(openDatabase({ path: join(folder, name) }, sourceContext())).rejects.toMatchObject(error)
    expect(readdirSync(folder)).toEqual(['folder'])
  })

  test('an empty file is an empty copy', async () => {
    const path = join(await ownFolder(), 'empty.db')
    writeFileSync(path, '')
    const opening = await openDatabase({ path }, sourceContext())
    expect(opening.sizeBytes).toBe(0)
    expect((await drained(opening)).bytes).toHaveLength(0)
    rmSync(path)
  })
})
