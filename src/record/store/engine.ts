/** What the thread of the store does: all that touches SQLite, one thing after another. */
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import type { Row } from '../events/row.ts'
import { createBelievedClock, retain } from '../events/retention.ts'
import { EventStoreError } from './error.ts'
import { identityOf, logSizeOf, setAside, sizeOf } from './files.ts'
import { BUSY_MS, LOG_BYTES, openStore, type OpenStore } from './open.ts'
import type { Job, Replies, SetAside, Status, StoreSettings } from './protocol.ts'
import { queryOf } from '../events/query.ts'
import { Trouble, hasRoom, isDamage } from './trouble.ts'
import { continueFrom, has, insert, lastId } from '../events/write.ts'

/** Longer than that, the log is moved into the database. */
const CHECKPOINT_BYTES = 2 * 1024 * 1024
/** A store that is off is tried again so many times as seldom as one that is paused. */
const OFF_TIMES = 30

export class StoreEngine {
  readonly #settings: StoreSettings
  readonly #now = createBelievedClock()
  readonly #setAside: SetAside[] = []
  #open: OpenStore | undefined
  #stopped: Stopped | undefined
  #generation = 0
  #events = 0
  #lastId = 0

  constructor(settings: StoreSettings) {
    this.#settings = settings
    this.#reopen()
  }

  status(): Status {
    const { state = 'recording', sinceMs, trouble } = this.#stopped ?? {}
    return {
      state,
      ...(trouble ? { reason: trouble.reason } : {}),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      setAside: [...this.#setAside],
      generation: this.#generation,
      sizeBytes: sizeOf(this.#settings.path),
      events: this.#events,
      notes: this.#open?.note === undefined ? [] : [this.#open.note],
    }
  }

  /** The id of the first; the others follow. */
  append(jobs: readonly Job[]): number {
    const rows = jobs.flatMap((job) => job.rows)
    return this.#writing(() => {
      const first = this.#secured(jobs, rows, insert(this.#db(), jobs))
      this.#events += rows.length
      this.#lastId = Math.max(this.#lastId, first + rows.length - 1)
      return first
    })
  }

  query(filter: Parameters<typeof queryOf>[0]): Replies['query'] {
    const { sql, values } = queryOf(filter)
    return this.#reading((db) => db.prepare(sql).all(...values) as (Row & { id: number })[])
  }

  boots(): Replies['boots'] {
    const sql = 'SELECT boot_id AS bootId, first, last FROM boots ORDER BY last DESC'
    return this.#reading((db) => db.prepare(sql).all() as { bootId: string; first: string; last: string }[])
  }

  cursor(name: string): string | undefined {
    const sql = 'SELECT value FROM cursors WHERE name = ?'
    return this.#reading((db) => db.prepare(sql).pluck().get(name) as string | undefined)
  }

  /** Moves of the log into the database what nobody else still reads, waiting for nobody. */
  checkpoint(): void {
    this.#reading((db) => withoutWaiting(db, 'PASSIVE'))
  }

  /** One step of what has to be done now and then. Returns the milliseconds until the next. */
  maintain(): number {
    const { probeMs } = this.#settings
    if (this.#stopped) this.#probe()
    if (this.#stopped) return this.#stopped.state === 'off' ? probeMs * OFF_TIMES : probeMs
    try {
      const { more, deleted } = this.#writing(() => retain(this.#db(), this.#bounds(), this.#now()))
      this.#events -= deleted
      this.#writing(() => this.#tidy())
      return more ? 1 : 1000
    } catch {
      // It is paused, or set aside; the status tells.
      return probeMs
    }
  }

  close(): void {
    const open = this.#open
    this.#open = undefined
    open?.close()
  }

  /** The log is kept short, and the database as small as its pages; SQLite does that only when somebody writes. */
  #tidy(): void {
    const { path, maxBytes } = this.#settings
    const db = this.#db()
    const pending = pendingBytes(db)
    const tooLarge = sizeOf(path) > maxBytes
    if (pending > CHECKPOINT_BYTES || (tooLarge && pending > 0)) withoutWaiting(db, 'PASSIVE')
    else if (tooLarge || logSizeOf(path) > LOG_BYTES) withoutWaiting(db, 'TRUNCATE')
  }

  #bounds() {
    const { maxAgeMs, maxBytes } = this.#settings
    return { maxAgeMs, maxPageBytes: Math.max(maxBytes - LOG_BYTES, maxBytes / 2) }
  }

  #db(): Database.Database {
    if (this.#open && !this.#stopped) return this.#open.db
    const { state, trouble } = this.#stopped!
    throw new EventStoreError(state, trouble.reason)
  }

  /** What is paused can still be asked. */
  #reading<T>(read: (db: Database.Database) => T): T {
    if (!this.#open) throw new EventStoreError('off', this.#stopped!.trouble.reason)
    try {
      return read(this.#open.db)
    } catch (error) {
      if (isDamage(error)) this.#replace(error)
      throw error
    }
  }

  /** A damaged database is replaced, and what was to be written goes into the new one. Other trouble pauses. */
  #writing<T>(write: () => T): T {
    for (let tries = 0; ; tries++) {
      try {
        return write()
      } catch (error) {
        // Not SQLite's and not the system's.
        if ((error as { code?: string }).code === undefined || error instanceof EventStoreError) throw error
        if (tries === 0 && isDamage(error)) this.#replace(error)
        else throw this.#stop('paused', new Trouble(error))
      }
    }
  }

  /**
   * Somebody may have removed the database or its log under us: what was committed is nowhere then. Returns the first id, in
   * the files that are there.
   */
  #secured(jobs: readonly Job[], rows: readonly Row[], first: number): number {
    const { path } = this.#settings
    const { main, log } = this.#open!.identity
    const now = identityOf(path)
    if (now?.main === main && now.log === log) return first
    const message = `${now?.main === main ? 'its write-ahead log' : 'it'} was removed or replaced while diagd wrote to it`
    this.#setAside.push({ path, why: 'removed', message })
    const last = first + rows.length - 1
    this.#reopen()
    const db = this.#db()
    // Closing may have moved the log into the database.
    if (rows.length > 0 && has(db, last, rows.at(-1)!)) return first
    continueFrom(db, this.#lastId)
    return insert(db, jobs)
  }

  #stop(state: 'paused' | 'off', trouble: Trouble): EventStoreError {
    this.#stopped = { state, trouble, sinceMs: this.#stopped?.sinceMs ?? Date.now() }
    return new EventStoreError(state, trouble.reason)
  }

  /** Whether it goes again. */
  #probe(): void {
    const { trouble } = this.#stopped!
    try {
      if (trouble.diskIsFull && !hasRoom(dirname(this.#settings.path))) return
      if (!this.#open || !trouble.passes) this.#reopen()
      if (!this.#open) return
      const sql = `INSERT OR REPLACE INTO cursors (name, value) VALUES ('diagd.probe', ?)`
      this.#open.db.prepare(sql).run(new Date().toISOString())
      this.#stopped = undefined
    } catch (error) {
      this.#stop('paused', new Trouble(error))
    }
  }

  #reopen(): void {
    try {
      this.close()
      this.#open = openStore(this.#settings.path)
      const { db, aside } = this.#open
      if (aside) this.#setAside.push(aside)
      this.#events = db.prepare('SELECT count(*) FROM events').pluck().get() as number
      continueFrom(db, this.#lastId)
      this.#lastId = lastId(db)
      this.#generation += 1
      this.#stopped = undefined
    } catch (error) {
      this.close()
      const trouble = new Trouble(error)
      this.#stop(trouble.passes ? 'paused' : 'off', trouble)
    }
  }

  #replace(error: unknown): void {
    const { path } = this.#settings
    this.#open?.abandon()
    this.#open = undefined
    try {
      const message = `it is damaged (${(error as Error).message})`
      this.#setAside.push({ path: setAside(path, 'damaged'), why: 'damaged', message })
    } catch {
      // The next opening tries it again, and tells.
    }
    this.#reopen()
  }
}

/** What is in the log and not in the database yet. */
function pendingBytes(db: Database.Database): number {
  const [{ log = 0, checkpointed = 0 } = {}] = db.pragma('wal_checkpoint(NOOP)') as { [name: string]: number }[]
  return (log - checkpointed) * (db.pragma('page_size', { simple: true }) as number)
}

/** What others read stays where it is. */
function withoutWaiting(db: Database.Database, mode: 'PASSIVE' | 'TRUNCATE'): void {
  db.pragma('busy_timeout = 0')
  try {
    db.pragma(`wal_checkpoint(${mode})`)
  } finally {
    db.pragma(`busy_timeout = ${BUSY_MS}`)
  }
}

interface Stopped {
  readonly state: 'paused' | 'off'
  readonly trouble: Trouble
  readonly sinceMs: number
}
