/** A database in the thread: all that touches SQLite, one thing after another. */
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import { createBelievedClock } from './believed-clock.ts'
import type { Book, Written } from './book.ts'
import { StoreError } from './error.ts'
import { identityOf, logSizeOf, setAside, sizeOf } from './files.ts'
import { BUSY_MS, LOG_BYTES, openStore, type OpenStore } from './open.ts'
import { giveBack, pendingBytes } from './pages.ts'
import type { SetAside, Status, StoreSettings } from './protocol.ts'
import { continueFrom, countRows, lastId, writeAgain } from './tables.ts'
import { Trouble, hasRoom, isDamage } from './trouble.ts'

/** Longer than that, the log is moved into the database. */
const CHECKPOINT_BYTES = 2 * 1024 * 1024
/** Between two looks for what is too old or too much. */
const UPKEEP_MS = 1000
/** The same where nothing was written since: then only time makes things too old. */
const REST_MS = 10_000
/** A store that is off is tried again so many times as seldom as one that is paused. */
const OFF_TIMES = 30

export class StoreEngine {
  readonly #book: Book
  readonly #settings: StoreSettings
  readonly #now = createBelievedClock()
  readonly #setAside: SetAside[] = []
  #open: OpenStore | undefined
  #stopped: Stopped | undefined
  #generation = 0
  #rows = 0
  #lastId = 0
  /** Nothing was written since it was looked through. */
  #rests = false
  #more = false
  #notes: readonly string[] = []

  constructor(book: Book, settings: StoreSettings) {
    this.#book = book
    this.#settings = settings
    this.#reopen()
  }

  status(): Omit<Status, 'refused'> {
    const { state = 'recording', sinceMs, trouble } = this.#stopped ?? {}
    return {
      state,
      ...(trouble ? { reason: trouble.reason } : {}),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      setAside: [...this.#setAside],
      generation: this.#generation,
      sizeBytes: sizeOf(this.#settings.path),
      rows: this.#rows,
      notes: [...(this.#open?.note === undefined ? [] : [this.#open.note]), ...this.#notes],
    }
  }

  /** What a verb of the book answers. @throws StoreError; errors of SQLite and of the book. */
  answer(verb: string, argument: unknown): unknown {
    const read = this.#book.reads[verb] as ((db: Database.Database, argument: unknown) => unknown) | undefined
    if (read) return this.#reading((db) => read(db, argument))
    this.#rests = false
    const write = this.#book.writes[verb] as (db: Database.Database, argument: unknown) => Written<unknown>
    return this.#writing(() => this.#secured(() => write(this.#db(), argument)))
  }

  /** Moves of the log into the database what nobody else still reads, waiting for nobody. */
  checkpoint(): void {
    this.#reading((db) => withoutWaiting(db, 'PASSIVE'))
  }

  /** One step of what has to be done now and then. */
  maintain(): void {
    if (this.#stopped) this.#probe()
    if (this.#stopped) return
    try {
      this.#more = this.#writing(() => this.#keepWithin())
      this.#writing(() => this.#tidy())
      this.#rests = !this.#more
    } catch {
      // It is paused, or set aside; the status tells.
    }
  }

  /** Milliseconds from one step to the next, as it looks now: a write makes them fewer. */
  get upkeepMs(): number {
    const { probeMs } = this.#settings
    if (this.#stopped) return this.#stopped.state === 'off' ? probeMs * OFF_TIMES : probeMs
    if (this.#more) return 1
    return this.#rests ? REST_MS : Math.max(probeMs, UPKEEP_MS)
  }

  close(): void {
    const open = this.#open
    this.#open = undefined
    open?.close()
  }

  /** Returns whether there is more to do. What is done here is there after a power cut or it is not: nobody waits for it. */
  #keepWithin(): boolean {
    const { maxBytes } = this.#settings
    const db = this.#db()
    db.pragma('synchronous = NORMAL')
    try {
      const bounds = { nowMs: this.#now(), maxPageBytes: Math.max(maxBytes - LOG_BYTES, maxBytes / 2) }
      const { rows, more, notes = [] } = this.#book.maintain(db, this.#settings as never, bounds)
      this.#rows -= rows
      this.#notes = notes
      return more || giveBack(db)
    } finally {
      db.pragma('synchronous = FULL')
    }
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

  #db(): Database.Database {
    if (this.#open && !this.#stopped) return this.#open.db
    const { state, trouble } = this.#stopped!
    throw new StoreError(state, trouble.reason)
  }

  /** What is paused can still be asked. */
  #reading<T>(read: (db: Database.Database) => T): T {
    if (!this.#open) throw new StoreError('off', this.#stopped!.trouble.reason)
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
        if ((error as { code?: string }).code === undefined || error instanceof StoreError) throw error
        if (tries === 0 && isDamage(error)) this.#replace(error)
        else throw this.#stop('paused', new Trouble(error))
      }
    }
  }

  /** Somebody may have removed the database or its log under us: what was committed is nowhere then, and is written again. */
  #secured(write: () => Written<unknown>): unknown {
    const { path } = this.#settings
    const written = write()
    const { main, log } = this.#open!.identity
    const now = identityOf(path)
    if (now?.main === main && now.log === log) return this.#counted(written)
    const message = `${now?.main === main ? 'its write-ahead log' : 'it'} was removed or replaced while diagd wrote to it`
    this.#setAside.push({ path, why: 'removed', message })
    this.#reopen()
    // Closing may have moved the log into the database.
    return written.isThere(this.#db()) ? written.reply : this.#counted(write())
  }

  #counted({ rows, reply }: Written<unknown>): unknown {
    this.#rows += rows
    this.#lastId = lastId(this.#db(), this.#book.table)
    return reply
  }

  #stop(state: 'paused' | 'off', trouble: Trouble): StoreError {
    this.#stopped = { state, trouble, sinceMs: this.#stopped?.sinceMs ?? Date.now() }
    return new StoreError(state, trouble.reason)
  }

  /** Whether it goes again. */
  #probe(): void {
    const { trouble } = this.#stopped!
    try {
      if (trouble.diskIsFull && !hasRoom(dirname(this.#settings.path))) return
      if (!this.#open || !trouble.passes) this.#reopen()
      if (!this.#open) return
      writeAgain(this.#open.db)
      this.#stopped = undefined
    } catch (error) {
      this.#stop('paused', new Trouble(error))
    }
  }

  #reopen(): void {
    try {
      this.close()
      this.#open = openStore(this.#settings.path, this.#book)
      const { db, aside } = this.#open
      if (aside) this.#setAside.push(aside)
      const { table } = this.#book
      this.#rows = countRows(db, table)
      continueFrom(db, table, this.#lastId)
      this.#lastId = lastId(db, table)
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
