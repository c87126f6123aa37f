/** Statements of an open database: made once, gone with it. */
import type Database from 'better-sqlite3'

type Sql = (sql: string) => Database.Statement

const prepared = new WeakMap<Database.Database, Map<string, Database.Statement>>()

/** Like db.prepare(), once for each text. */
export function preparing(db: Database.Database): Sql {
  const known = prepared.get(db) ?? new Map<string, Database.Statement>()
  prepared.set(db, known)
  return (sql) => {
    const statement = known.get(sql) ?? db.prepare(sql)
    known.set(sql, statement)
    return statement
  }
}
