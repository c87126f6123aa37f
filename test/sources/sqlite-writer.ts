/** Writes into the database it is given, so many rows a second in groups, deletes old ones and gives pages back, until it is ended. */
import Database from 'better-sqlite3'

const [, , path, perSecond] = process.argv
const GROUP = 250
const KEPT = 40_000

const db = new Database(path)
db.pragma('auto_vacuum = INCREMENTAL')
db.pragma('journal_mode = WAL')
db.pragma('wal_autocheckpoint = 500')
db.exec(`
  CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT);
  CREATE INDEX IF NOT EXISTS texts ON rows (text);
  CREATE TABLE IF NOT EXISTS facts (count INTEGER, sum INTEGER);
  INSERT INTO facts SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM facts)`)
const put = db.prepare('INSERT INTO rows (text) VALUES (?)')
const drop = db.prepare('DELETE FROM rows WHERE id <= (SELECT max(id) FROM rows) - ?')
const count = db.prepare('UPDATE facts SET count = (SELECT count(*) FROM rows), sum = (SELECT total(id) FROM rows)')
let written = 0
const write = db.transaction(() => {
  for (let row = 0; row < GROUP; row++)
    put.run(`${String(written++).padStart(12, '0')} ${'x'.repeat(Math.random() * 500)}`)
  // All at once, so that the file grows and shrinks.
  if (written % KEPT === 0) drop.run(KEPT / 2)
  count.run()
})

while (written < KEPT / 2) write.immediate()
process.stdout.write('writes\n')
setInterval(
  () => {
    write.immediate()
    if (written % KEPT === 0) db.pragma('incremental_vacuum(500)')
  },
  (1000 * GROUP) / Number(perSecond),
)
