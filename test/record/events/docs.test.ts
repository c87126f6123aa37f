/** What docs/events.md tells people to type works, and it names every column. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { emptyDatabase } from './kit.ts'

const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8')
const [, examples = ''] = /```sql\n([^]*?)```/.exec(page)!

const db = emptyDatabase()
const put = db.prepare(
  `INSERT INTO events VALUES (NULL, ?, '2026-06-15T12:00:00.000000Z', 1, 'kernel', ?, 'error', 'x', 'm', '{"exitCode": 3}')`,
)
db.exec(`INSERT INTO boots VALUES ('old', '2026-01', '2026-01'), ('new', '2026-02', '2026-02')`)
for (const boot of ['old', 'new']) for (const type of ['unit.failed', 'kernel.oom-kill']) put.run(boot, type)

const queries = examples.split(';').filter((sql) => sql.trim() !== '')

test.each(queries)('this finds something: %s', (sql) => {
  expect(db.prepare(sql).all()).not.toEqual([])
})

test('every column and view is described', () => {
  expect(queries).toHaveLength(4)
  const columns = db.prepare(`SELECT name FROM pragma_table_info('events')`).pluck().all() as string[]
  const views = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'view'`).pluck().all() as string[]
  for (const name of [...columns, ...views]) expect(page).toContain(`| \`${name}\` |`)
})
