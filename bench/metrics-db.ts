/**
 * A week of metrics: what it takes on the disk, what a sample costs, how long the questions of docs/databases.md take, and how a
 * machine with 200 containers fits into the same room.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { metricsBook } from '../src/record/metrics/database/book.ts'
import { range } from '../src/record/metrics/database/range.ts'
import { createMetricsStore } from '../src/record/metrics/store.ts'
import { createEventStore } from '../src/record/events/store.ts'
import { migrate, prepareEmpty } from '../src/record/store/tables.ts'
import { BOOT_ID, machine, MONDAY_MS, type MachineOptions } from '../test/helpers/samples.ts'
import { median, type Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const DAY_MS = 86_400_000
const WEEK: MachineOptions = { mounts: 5, disks: 2, interfaces: 3, containers: 10 }
const CROWD: MachineOptions = { ...WEEK, containers: 200 }
const MIB = 1024 * 1024
const SETTINGS = { maxBytes: 64 * MIB, sampleAgeMs: DAY_MS, minuteAgeMs: 7 * DAY_MS, intervalMs: 10_000 }
/** As the store leaves room for the log. */
const MAX_PAGE_BYTES = 60 * MIB
const TIMES = 3
const SINGLE = 200

export async function metricsDbRows(work: Workplace): Promise<Row[]> {
  const folder = join(work.folder, 'metrics-db')
  mkdirSync(folder)
  const week = await filled(join(folder, 'metrics.db'), WEEK, 7)
  const crowd = await filled(join(folder, 'crowd.db'), CROWD, 1)
  const events = await someEvents(folder)
  return [
    sizeRow('5 mounts, 2 disks, 3 interfaces, 10 containers', week),
    await costRow(folder, week),
    sizeRow('200 containers', crowd),
    ...questions(events, week.path),
  ]
}

interface Filled {
  readonly path: string
  readonly days: number
  /** Milliseconds each. */
  readonly writes: number[]
  readonly steps: number[]
}

/** As fast as it goes; kept in order after each minute. */
async function filled(path: string, options: MachineOptions, days: number): Promise<Filled> {
  const db = new Database(path)
  prepareEmpty(db, metricsBook)
  db.pragma('journal_mode = WAL')
  // A week of commits is not waited for: what one of them takes is asked of the store.
  db.pragma('synchronous = OFF')
  migrate(db, metricsBook)
  const many = machine(options)
  const [writes, steps]: [number[], number[]] = [[], []]
  for (let count = 0; count < days * 8640; count++) {
    const sample = many.next()
    writes.push(timed(() => metricsBook.writes.append(db, sample)))
    const bounds = { nowMs: sample.timeMs, maxPageBytes: MAX_PAGE_BYTES }
    for (let more = count % 6 === 0; more;)
      steps.push(timed(() => ({ more } = metricsBook.maintain(db, SETTINGS, bounds))))
    if (count % 360 === 0) db.pragma('incremental_vacuum(256)')
  }
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  return { path, days, writes, steps }
}

function sizeRow(what: string, { path, days }: Filled): Row {
  const db = new Database(path, { readonly: true })
  const [samples, minutes] = db
    .prepare(
      `SELECT max(time_ms) - min(time_ms) FROM samples UNION ALL SELECT max(time_ms) - min(time_ms) FROM minutes`,
    )
    .pluck()
    .all() as [number, number]
  db.close()
  const hours = (ms: number) => `${Math.round(ms / 3_600_000)} h`
  return {
    what: `metrics.db after ${days} days: ${what}`,
    measured: `${(statSync(path).size / MIB).toFixed(1)} MiB: ${hours(samples)} of samples, ${hours(minutes)} of minutes`,
    beside: 'at most 64 MiB with its log',
  }
}

/** As the daemon keeps them, one at a time. */
async function costRow(folder: string, { writes, steps }: Filled): Promise<Row> {
  const store = createMetricsStore({ folder: join(folder, 'store'), tell() {} })
  const many = machine({ ...WEEK, startMs: Date.now() - SINGLE * 10_000 })
  const took: number[] = []
  for (let count = 0; count < SINGLE; count++) {
    const began = performance.now()
    await store.append(many.next())
    took.push(performance.now() - began)
  }
  await store.close()
  return {
    what: 'metrics.db: a sample',
    measured: `on the disk after ${median(took).toFixed(1)} ms, of which ${median(writes).toFixed(2)} ms without waiting for the disk`,
    beside: `a step of roll-up and retention: ${median(steps).toFixed(2)} ms, p99 ${percentile(steps, 0.99).toFixed(1)} ms`,
  }
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!
}

/** A few, at the times that were measured. */
async function someEvents(folder: string): Promise<string> {
  const store = createEventStore({ folder, bootId: BOOT_ID, maxAgeMs: 1e14 })
  const about = { bootId: BOOT_ID, source: 'systemd', subject: 'x', message: 'm' } as const
  const events = Array.from({ length: 2000 }, (_, at) => {
    const [type, level] =
      at % 250 === 0 ? (['kernel.oom-kill', 'critical'] as const) : (['unit.failed', 'error'] as const)
    return { ...about, timeMs: MONDAY_MS + at * 300_000, type: at % 25 === 0 ? type : 'unit.started', level }
  })
  await store.append(events)
  await store.close()
  return store.path
}

/** As docs/databases.md asks them, and what a picture of a day asks. */
function questions(events: string, metrics: string): Row[] {
  const page = readFileSync(new URL('../docs/databases.md', import.meta.url), 'utf8')
  const db = new Database(events, { readonly: true })
  db.exec(`ATTACH '${metrics}' AS metrics`)
  const rows = Array.from(page.matchAll(/^### (.+)\n\n```sql\n([^]*?)```/gm), ([, title, sql]) =>
    questionRow(title!, () => db.prepare(sql!).all()),
  )
  db.close()
  const own = new Database(metrics, { readonly: true })
  const untilMs = MONDAY_MS + 7 * DAY_MS
  const columns = {
    host: ['load_1', 'cpu_idle_percent', 'memory_available_bytes'],
    mount: ['used_bytes'],
    container: ['cpu_percent', 'memory_working_set_bytes'],
  }
  rows.push(
    questionRow(
      'a picture of the last day',
      () => range(own, { sinceMs: untilMs - DAY_MS, untilMs, stepMs: 180_000, columns }).series,
    ),
  )
  own.close()
  return rows
}

function questionRow(title: string, ask: () => readonly unknown[]): Row {
  let found: readonly unknown[] = []
  const took = Array.from({ length: TIMES }, () => timed(() => (found = ask())))
  return { what: `metrics.db: ${title}`, measured: `${median(took).toFixed(0)} ms`, beside: `${found.length} rows` }
}

function timed(work: () => unknown): number {
  const began = performance.now()
  work()
  return performance.now() - began
}
