/** Opens a database as today's program needs it. What cannot be used is set aside first, untouched. */
import { closeSync, fstatSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Book } from './book.ts'
import { COMPANIONS, identityOf, isReadWithin, openOrCreate, setAside, sizeOf, type Identity } from './files.ts'
import type { SetAside } from './protocol.ts'
import { migrate, prepareEmpty } from './tables.ts'
import { isDamage } from './trouble.ts'

export interface OpenStore {
  readonly db: Database.Database
  readonly identity: Identity
  /** Set where an older one could not be used. */
  readonly aside?: SetAside
  readonly note?: string
  close(): void
  /** Closes it and leaves the log as it is: evidence. */
  abandon(): void
}

type About = Pick<Book, 'applicationId' | 'migrations' | 'adapt' | 'words'>

/** A disk that takes longer to read all of it is not kept from recording by a check. */
const CHECK_MS = 5000
/** Another program (a person with sqlite3) may hold it for a moment. */
export const BUSY_MS = 2000
/** What the log is cut to when it begins anew. */
export const LOG_BYTES = 4 * 1024 * 1024

/** @throws errors of SQLite and of the file system where none can be opened or made. */
export function openStore(path: string, book: About): OpenStore {
  const found = inspect(path, book)
  const aside = found.why && { path: setAside(path, found.why), why: found.why, message: found.message }
  const fd = openOrCreate(path)
  try {
    const db = connect(path, book)
    const close = () => {
      db.close()
      closeSync(fd)
    }
    const facts = { ...(aside ? { aside } : {}), ...(found.note === undefined ? {} : { note: found.note }) }
    const abandon = () => {
      const other = secondConnection(path)
      close()
      other?.close()
    }
    return { db, close, abandon, identity: identityOf(path)!, ...facts }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Only the last connection that closes moves the log into the database, and one that may not write does not. */
function secondConnection(path: string): Database.Database | undefined {
  let db: Database.Database | undefined
  try {
    db = new Database(path, { readonly: true, fileMustExist: true })
    db.pragma('schema_version')
  } catch {
    // Too damaged for that.
  }
  return db
}

interface Found {
  /** Why it cannot be used. */
  readonly why?: SetAside['why']
  readonly message: string
  readonly note?: string
}

const USABLE: Found = { message: '' }

/** Read-only: closing a connection that may write moves the log into the database. */
function inspect(path: string, book: About): Found {
  const fd = openOrCreate(path)
  try {
    if (fstatSync(fd).size === 0) return leftover(path)
    const checked = isReadWithin(fd, CHECK_MS)
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS })
    try {
      return judge(db, book, checked)
    } finally {
      db.close()
    }
  } catch (error) {
    if (isDamage(error)) return damaged((error as Error).message)
    throw error
  } finally {
    closeSync(fd)
  }
}

/** A log without its database: SQLite would take it for that of the new one. */
function leftover(path: string): Found {
  return sizeOf(path) === 0 ? USABLE : damaged(`there is no database to ${path}${COMPANIONS[0]}`)
}

function judge(db: Database.Database, { applicationId, migrations, words }: About, checkIt: boolean): Found {
  const id = db.pragma('application_id', { simple: true }) as number
  const version = db.pragma('user_version', { simple: true }) as number
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
  if (id !== applicationId && !isEmpty)
    return {
      why: 'foreign',
      message: `it is not a database of diagd's ${words.kept.toLowerCase()} (application_id ${id})`,
    }
  if (version > migrations.length)
    return { why: 'newer', message: `it is of a newer diagd (version ${version}; this one knows ${migrations.length})` }
  if (!checkIt) return { message: '', note: `not checked: the disk did not read it within ${CHECK_MS / 1000} s` }
  const faults = (db.pragma('quick_check(3)') as { quick_check: string }[]).map((row) => row.quick_check)
  return faults[0] === 'ok' ? USABLE : damaged(faults.join('; '))
}

function damaged(detail: string): Found {
  return { why: 'damaged', message: `it is damaged (${detail})` }
}

function connect(path: string, book: About): Database.Database {
  const db = new Database(path, { timeout: BUSY_MS })
  try {
    if (db.pragma('page_count', { simple: true }) === 0) prepareEmpty(db, book)
    const mode = db.pragma('journal_mode = WAL', { simple: true })
    if (mode !== 'wal') throw new Error(`${path} cannot have a write-ahead log here (journal_mode ${String(mode)})`)
    // A commit is on the disk when it returns.
    db.pragma('synchronous = FULL')
    db.pragma('wal_autocheckpoint = 0')
    db.pragma(`journal_size_limit = ${LOG_BYTES}`)
    db.pragma('cache_size = -4096')
    db.pragma('temp_store = MEMORY')
    db.pragma('trusted_schema = OFF')
    migrate(db, book)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
