/** Mounts, disks, containers, …: each has a number, which its rows carry instead of its labels. */
import type Database from 'better-sqlite3'
import { labelsOf, TABLES, type KeptSubject } from './columns.ts'
import { preparing } from './statements.ts'

export interface ThingIds {
  /** Its number; a new one where it was not seen before. */
  of(subject: KeptSubject, labels: Readonly<Record<string, string>>, timeMs: number): number
  /** Something was undone or deleted. */
  forget(): void
}

/** Of a machine with more, the cache is begun anew. */
const MOST_KNOWN = 10_000

const byDatabase = new WeakMap<Database.Database, ThingIds>()

export function thingIds(db: Database.Database): ThingIds {
  const ids = byDatabase.get(db) ?? createThingIds(db)
  byDatabase.set(db, ids)
  return ids
}

interface Known {
  readonly thing: number
  readonly naming: string
}

function createThingIds(db: Database.Database): ThingIds {
  const known = new Map<string, Known>()
  return {
    of(subject, labels, timeMs) {
      const { identifying, naming } = labelsOf(subject)
      const key = textOf([subject, ...identifying.map((name) => labels[name] ?? '')])
      const names = textOf(naming.map((name) => labels[name] ?? ''))
      const found = known.get(key)
      if (found?.naming === names) return found.thing
      const thing = upsert(db, subject, labels, timeMs)
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(key, { thing, naming: names })
      return thing
    },
    forget: () => known.clear(),
  }
}

function textOf(parts: readonly string[]): string {
  return parts.join('\0')
}

/** A name that is not known now does not replace one that was. */
function upsert(
  db: Database.Database,
  subject: KeptSubject,
  labels: Readonly<Record<string, string>>,
  timeMs: number,
): number {
  const { identifying, naming } = labelsOf(subject)
  const keys = [...identifying, ...naming]
  const table = TABLES.find((one) => one.subject === subject)!.things!
  const update = [...naming, identifying[0]!].map((key) => `${key} = coalesce(nullif(excluded.${key}, ''), ${key})`)
  const sql = `INSERT INTO ${table} (${keys.join(', ')}, first_ms) VALUES (${keys.map(() => '?').join(', ')}, ?)
    ON CONFLICT (${identifying.join(', ')}) DO UPDATE SET ${update.join(', ')} RETURNING thing`
  const values = keys.map((key) => labels[key] ?? '')
  return (preparing(db)(sql).get(...values, Math.round(timeMs)) as { thing: number }).thing
}
