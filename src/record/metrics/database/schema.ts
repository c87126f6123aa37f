/** The tables of metrics.db. What there is one of is written here; what depends on the catalogue is made of it. For people: docs/databases.md. */
import type Database from 'better-sqlite3'
import { columnsOf, labelsOf, minuteColumns, TABLES, type KeptSubject } from './columns.ts'
import { VIEWS } from './views.ts'

/** `diam`, in the header of the file: whose database it is. */
export const APPLICATION_ID = 0x6469616d

/** Each brings the database from the version before it to its own: the first makes version 1. Never changed, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE samples (                            -- each look at the machine
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
    boot         INTEGER NOT NULL,                  -- of the table boots
    time_ms      INTEGER NOT NULL,                  -- milliseconds since 1970
    monotonic_ms INTEGER NOT NULL,                  -- milliseconds since the boot, without those of being suspended
    boottime_ms  INTEGER NOT NULL,                  -- and with them
    interval_ms  INTEGER                            -- what rates are of; null where there is nothing to compare with
  );
  CREATE INDEX samples_time ON samples (time_ms);

  CREATE TABLE minutes (                            -- samples of the same minute and boot, in one
    id           INTEGER PRIMARY KEY,               -- that of the first sample
    last_sample  INTEGER NOT NULL,
    boot         INTEGER NOT NULL,
    time_ms      INTEGER NOT NULL,                  -- when the minute began
    monotonic_ms INTEGER NOT NULL,                  -- of the first sample
    samples      INTEGER NOT NULL                   -- how many
  );
  CREATE INDEX minutes_time ON minutes (time_ms);

  CREATE TABLE boots (
    id      INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL UNIQUE
  );

  CREATE TABLE marks (                              -- what happened to time, and where numbers are missing
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    sample  INTEGER NOT NULL,                       -- the first one after it
    boot    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    message TEXT NOT NULL
  );

  CREATE TABLE problems (                           -- why a row tells less than it might
    id      INTEGER PRIMARY KEY,
    problem TEXT NOT NULL UNIQUE
  );

  CREATE TABLE progress (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
]

/** Tables and columns that the catalogue has and the database has not, and the views of today. */
export function adapt(db: Database.Database): void {
  for (const { subject, things } of TABLES) {
    if (things !== undefined) ensure(db, things, thingsTable(subject, things), labelColumns(subject))
    ensure(db, `${subject}_samples`, samplesTable(subject), sampleColumns(subject))
    ensure(db, `${subject}_minutes`, minutesTable(subject), minuteColumnsOf(subject))
  }
  const present = db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'view'`).all() as Named[]
  const sqlOf = new Map(present.map(({ name, sql }) => [name, sql]))
  if (VIEWS.every(({ name, sql }) => sqlOf.get(name) === sql) && present.length === VIEWS.length) return
  for (const name of sqlOf.keys()) db.exec(`DROP VIEW ${name}`)
  for (const { sql } of VIEWS) db.exec(sql)
}

interface Named {
  readonly name: string
  readonly sql: string
}

function ensure(db: Database.Database, table: string, create: string, columns: readonly string[]): void {
  const present = new Set(db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[])
  if (present.size === 0) return void db.exec(create)
  for (const column of columns)
    if (!present.has(column.split(' ')[0]!)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column}`)
}

function thingsTable(subject: KeptSubject, things: string): string {
  return `CREATE TABLE ${things} (
    thing INTEGER PRIMARY KEY,
    ${labelColumns(subject).join(',\n    ')},
    first_ms INTEGER NOT NULL,
    last_minute INTEGER,
    UNIQUE (${labelsOf(subject).identifying.join(', ')})
  )`
}

function samplesTable(subject: KeptSubject): string {
  const columns = ['problem INTEGER', ...sampleColumns(subject)].join(',\n    ')
  if (subject === 'host') return `CREATE TABLE host_samples (\n    sample INTEGER PRIMARY KEY,\n    ${columns}\n  )`
  return `CREATE TABLE ${subject}_samples (
    sample INTEGER NOT NULL,
    thing INTEGER NOT NULL,
    ${columns},
    PRIMARY KEY (sample, thing)
  ) WITHOUT ROWID`
}

function minutesTable(subject: KeptSubject): string {
  const columns = ['samples INTEGER NOT NULL', 'problem INTEGER', ...minuteColumnsOf(subject)].join(',\n    ')
  if (subject === 'host') return `CREATE TABLE host_minutes (\n    minute INTEGER PRIMARY KEY,\n    ${columns}\n  )`
  return `CREATE TABLE ${subject}_minutes (
    minute INTEGER NOT NULL,
    thing INTEGER NOT NULL,
    ${columns},
    PRIMARY KEY (minute, thing)
  ) WITHOUT ROWID`
}

function labelColumns(subject: KeptSubject): string[] {
  const { identifying, naming } = labelsOf(subject)
  return [...identifying, ...naming].map((key) => `${key} TEXT NOT NULL DEFAULT ''`)
}

function sampleColumns(subject: KeptSubject): string[] {
  return columnsOf(subject).map(({ stored }) => `${stored} INTEGER`)
}

function minuteColumnsOf(subject: KeptSubject): string[] {
  return columnsOf(subject).flatMap((column) => minuteColumns(column).map((name) => `${name} INTEGER`))
}
