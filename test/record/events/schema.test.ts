/** An older database becomes today's, all of it or nothing. */
import type Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { APPLICATION_ID, MIGRATIONS } from '../../../src/record/events/schema.ts'
import { migrate } from '../../../src/record/store/tables.ts'
import { emptyDatabase } from './kit.ts'

const VERSION = MIGRATIONS.length
const NEXT = [...MIGRATIONS, 'ALTER TABLE events ADD COLUMN unit TEXT', 'CREATE INDEX events_unit ON events (unit)']

const version = (db: Database.Database) => db.pragma('user_version', { simple: true })

test('a new one says what it is', () => {
  const db = emptyDatabase()
  expect(version(db)).toBe(VERSION)
  expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID)
  expect(db.pragma('auto_vacuum', { simple: true })).toBe(2)
})

test('an older one gets what it lacks, and keeps what it has', () => {
  const db = emptyDatabase()
  db.exec(`INSERT INTO events VALUES (7, 'boot', '2026', NULL, 'api', 't', 'info', '', 'kept', NULL)`)
  migrate(db, { migrations: NEXT })
  expect(version(db)).toBe(VERSION + 2)
  expect(db.prepare('SELECT id, message, unit FROM events').all()).toEqual([{ id: 7, message: 'kept', unit: null }])
  migrate(db, { migrations: NEXT })
  expect(version(db)).toBe(VERSION + 2)
})

test('a step that fails leaves it as it was', () => {
  const db = emptyDatabase()
  expect(() => migrate(db, { migrations: [...NEXT, 'CREATE TABLE'] })).toThrow(/incomplete input/)
  expect(version(db)).toBe(VERSION)
  expect(db.prepare(`SELECT count(*) FROM pragma_table_info('events') WHERE name = 'unit'`).pluck().get()).toBe(0)
})

test.each(['latest', 'problems', 'boot_list', 'counts'])('the view %s works', (view) => {
  const db = emptyDatabase()
  db.exec(`INSERT INTO events VALUES (1, 'boot', '2026', NULL, 'api', 't', 'error', '', 'm', NULL)`)
  db.exec(`INSERT INTO boots VALUES ('boot', '2026', '2026')`)
  expect(db.prepare(`SELECT * FROM ${view}`).all()).toHaveLength(1)
})
