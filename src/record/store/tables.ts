/** What every database of the recorder has: a version, an owner, and ids that tell the order. */
import type Database from 'better-sqlite3'
import type { Book } from './book.ts'

/** What has to be set before the first table is made: it cannot be changed later. */
export function prepareEmpty(db: Database.Database, { applicationId }: Pick<Book, 'applicationId'>): void {
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma(`application_id = ${applicationId}`)
}

/** All steps in one transaction: a crash leaves the old version or the new one. */
export function migrate(db: Database.Database, book: Pick<Book, 'migrations' | 'adapt'>): void {
  db.transaction(() => {
    const { migrations, adapt } = book
    const from = versionOf(db)
    for (const sql of migrations.slice(from)) db.exec(sql)
    if (from < migrations.length) setVersion(db, migrations.length)
    adapt?.(db)
  }).immediate()
}

/** Writes to the disk, and changes nothing. */
export function writeAgain(db: Database.Database): void {
  setVersion(db, versionOf(db))
}

function versionOf(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

function setVersion(db: Database.Database, version: number): void {
  db.pragma(`user_version = ${version}`)
}

/** The next id is greater than this one: ids tell the order, also when the file is another. */
export function continueFrom(db: Database.Database, table: string, id: number): void {
  if (id === 0) return
  const { changes } = db.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(id, table)
  if (changes === 0) db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, id)
}

export function lastId(db: Database.Database, table: string): number {
  const sql = 'SELECT seq FROM sqlite_sequence WHERE name = ?'
  return (db.prepare(sql).pluck().get(table) as number | undefined) ?? 0
}

export function countRows(db: Database.Database, table: string): number {
  return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
}
