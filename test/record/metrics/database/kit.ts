/** metrics.db in memory, and stores of it in folders of their own. */
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { metricsBook } from '../../../../src/record/metrics/database/book.ts'
import { maintain } from '../../../../src/record/metrics/database/retention.ts'
import { append } from '../../../../src/record/metrics/database/write.ts'
import type { SampleRow } from '../../../../src/record/metrics/metric.ts'
import {
  createMetricsStore,
  type MetricsStore,
  type MetricsStoreOptions,
} from '../../../../src/record/metrics/store.ts'
import { migrate, prepareEmpty } from '../../../../src/record/store/tables.ts'
import { BOOT_ID, MONDAY_MS } from '../../../helpers/samples.ts'

export const HOUR_MS = 3_600_000
const SETTINGS = { maxBytes: 1e12, sampleAgeMs: 24 * HOUR_MS, minuteAgeMs: 168 * HOUR_MS, intervalMs: 10_000 }

export function emptyDatabase(): Database.Database {
  const db = new Database(':memory:')
  prepareEmpty(db, metricsBook)
  migrate(db, metricsBook)
  return db
}

export interface Look {
  /** Seconds after Monday; by default CLOCK_MONOTONIC goes with the wall clock. */
  readonly at: number
  readonly monotonicMs?: number
  readonly bootId?: string
  readonly intervalMs?: number | undefined
  readonly rows?: readonly SampleRow[]
}

/** A look at a machine of which little is known. */
export function put(db: Database.Database, { at, rows = [], bootId = BOOT_ID, ...rest }: Look): number {
  const monotonicMs = rest.monotonicMs ?? 60_000 + at * 1000
  const intervalMs = 'intervalMs' in rest ? rest.intervalMs : 10_000
  const times = { timeMs: MONDAY_MS + at * 1000, monotonicMs, boottimeMs: monotonicMs }
  return append(db, { ...times, bootId, intervalMs, rows, marks: [] }).reply
}

export function host(columns: SampleRow['columns'], problem?: string): SampleRow {
  return { subject: 'host', labels: {}, columns, ...(problem === undefined ? {} : { problem }) }
}

export function container(id: string, columns: SampleRow['columns'], name = ''): SampleRow {
  return { subject: 'container', labels: { id, cgroup: `/docker/${id}`, ...(name ? { name } : {}) }, columns }
}

/** Until there is nothing to do any more; what was said at the end. */
export function keep(
  db: Database.Database,
  nowMs: number,
  more: Partial<typeof SETTINGS> & { maxPageBytes?: number } = {},
) {
  const { maxPageBytes = 1e12, ...settings } = more
  for (;;) {
    const { more: again, notes } = maintain(db, { ...SETTINGS, ...settings }, { nowMs, maxPageBytes })
    if (!again) return notes
  }
}

/** Closed when the test ends. Nothing is too old, whatever time the samples of the test have. */
export function storeIn(folder: string, options: Partial<MetricsStoreOptions> = {}): MetricsStore {
  const ages = { sampleAgeMs: 1e14, minuteAgeMs: 1e14 }
  const store = createMetricsStore({ folder, probeMs: 20, tell() {}, ...ages, ...options })
  onTestFinished(() => store.close())
  return store
}

export function rows<T = Record<string, unknown>>(db: Database.Database, sql: string, ...values: unknown[]): T[] {
  return db.prepare(sql).all(...values) as T[]
}
