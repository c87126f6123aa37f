/** Every filter that can be selective is answered from an index; nothing is sorted but numbers. */
import { expect, test } from 'vitest'
import { queryOf } from '../../../src/record/events/query.ts'
import { emptyDatabase, NOON_MS } from './kit.ts'

test.each([
  [{}, 'SCAN events'],
  [{ beforeId: 5 }, 'INTEGER PRIMARY KEY (rowid<?)'],
  [{ afterId: 5 }, 'INTEGER PRIMARY KEY (rowid>?)'],
  [{ level: 'warning' }, 'events_grave'],
  [{ level: 'error' }, 'events_grave'],
  [{ level: 'critical', beforeId: 9 }, 'events_grave (id<?)'],
  [{ typePrefix: 'unit' }, 'events_type (type>? AND type<?)'],
  [{ source: 'kernel' }, 'events_source (source=?)'],
  [{ boot: 'x' }, 'events_boot (boot_id=?)'],
  [{ sinceMs: NOON_MS, untilMs: NOON_MS }, 'events_time (time>? AND time<?)'],
  [{ text: 'x' }, 'SCAN events'],
] as const)('%j by %s', (filter, index) => {
  const db = emptyDatabase()
  const { sql, values } = queryOf({ limit: 10, ...filter })
  const plan = (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]).map((row) => row.detail)
  expect(plan.join('\n')).toContain(index)
  // The outer query goes by id, so its rows need no sorting.
  expect(plan[0]).toMatch(/SEARCH events USING INTEGER PRIMARY KEY/)
})
