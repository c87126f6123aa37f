/** The newest sample, as it was given. */
import type Database from 'better-sqlite3'
import type { SampleRow } from '../metric.ts'
import { columnsOf, labelsOf, TABLES } from './columns.ts'
import { lastSample, type LastSample } from './write.ts'

export interface Latest extends LastSample {
  readonly rows: readonly SampleRow[]
}

export function latest(db: Database.Database): Latest | undefined {
  const last = lastSample(db)
  return last && { ...last, rows: TABLES.flatMap(({ subject }) => rowsOf(db, subject, last.id)) }
}

function rowsOf(db: Database.Database, subject: SampleRow['subject'], sample: number): SampleRow[] {
  const { identifying, naming } = labelsOf(subject)
  const rows = db.prepare(`SELECT * FROM ${subject} WHERE sample = ?`).all(sample) as Record<
    string,
    string | number | null
  >[]
  return rows.map((row) => {
    const columns = known<number>(
      row,
      columnsOf(subject).map(({ name }) => name),
    )
    const labels = known<string>(row, [...identifying, ...naming])
    return Object.assign({ subject, labels, columns }, row.problem === null ? {} : { problem: row.problem as string })
  })
}

function known<T>(row: Record<string, unknown>, names: readonly string[]): Record<string, T> {
  const entries = names.map((name) => [name, row[name] as T] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== ''))
}
