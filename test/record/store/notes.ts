/** A database as small as one can be: what is needed to be one of several in a thread. */
import type Database from 'better-sqlite3'
import type { Book, Written } from '../../../src/record/store/book.ts'

export const notesBook = {
  name: 'notes',
  fileName: 'notes.db',
  words: { database: 'The database of notes', kept: 'Notes', units: 'notes' },
  applicationId: 0x6e6f7465,
  migrations: ['CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)'],
  table: 'notes',
  reads: { all: (db: Database.Database) => db.prepare('SELECT id, text FROM notes ORDER BY id').all() },
  writes: { put },
  maintain: (_db: Database.Database, settings: { readonly note: string }) => ({
    rows: 0,
    more: false,
    notes: [settings.note],
  }),
} satisfies Book<{ readonly note: string }>

function put(db: Database.Database, text: string): Written<number> {
  const id = Number(db.prepare('INSERT INTO notes (text) VALUES (?)').run(text).lastInsertRowid)
  return { reply: id, rows: 1, isThere: (now) => now.prepare('SELECT 1 FROM notes WHERE id = ?').get(id) !== undefined }
}
