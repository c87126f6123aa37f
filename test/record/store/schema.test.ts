/** An older database becomes today's, all of it or nothing. */
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { APPLICATION_ID, MIGRATIONS, migrate, prepareEmpty, VERSION } from '../../../src/record/events/schema.ts'

const NEXT = [...MIGRATIONS, 'ALTER TABLE events ADD COLUMN unit TEXT', 'CREATE INDEX events_unit ON events (unit)']

function fresh(): Database.Database {
  const db = new Database(':memory:')
  prepareEmpty(db)
  migrate(db)
  return db
}

const version = (db: Database.Database) => db.pragma('user_version', { simple: true })

test('a new one says what it is', () => {
  const db = fresh()
  expect(version(db)).toBe(VERSION)
  expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID)
  expect(db.pragma('auto_vacuum', { simple: true })).toBe(2)
})

test('an older one gets what it lacks, and keeps what it has', () => {
  const db = fresh()
  db.exec(`INSERT INTO events VALUES (7, 'boot', '2026', NULL, 'api', 't', 'info', '', 'kept', NULL)`)
  migrate(db, NEXT)
  expect(version(db)).toBe(VERSION + 2)
  expect(db.prepare('SELECT id, message, unit FROM events').all()).toEqual([{ id: 7, message: 'kept', unit: null }])
  migrate(db, NEXT)
  expect(version(db)).toBe(VERSION + 2)
})

test('a step that fails leaves it as it was', () => {
  const db = fresh()
  expect(() => migrate(db, [...NEXT, 'CREATE TABLE'])).toThrow(/incomplete input/)
  expect(version(db)).toBe(VERSION)
  expect(db.prepare(`SELECT count(*) FROM pragma_table_info('events') WHERE name = 'unit'`).pluck().get()).toBe(0)
})

test.each(['latest', 'problems', 'boot_list', 'counts'])('the view %s works', (view) => {
  const db = fresh()
  db.exec(`INSERT INTO events VALUES (1, 'boot', '2026', NULL, 'api', 't', 'error', '', 'm', NULL)`)
  db.exec(`INSERT INTO boots VALUES ('boot', '2026', '2026')`)
  expect(db.prepare(`SELECT * FROM ${view}`).all()).toHaveLength(1)
})
