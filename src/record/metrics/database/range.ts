/** What was measured, a value for each step of a span: out of minutes where they suffice, else out of samples. */
import type Database from 'better-sqlite3'
import type { Measured, MeasuredColumn, MeasuredMark, MeasuredQuery, MeasuredSeries } from '../../../collector.ts'
import { StoreError } from '../../store/error.ts'
import { columnsOf, labelsOf, minuteValues, TABLES, type Column } from './columns.ts'
import { progressOf } from './progress.ts'
import { MINUTE_MS } from './roll-up.ts'

type Table = (typeof TABLES)[number]

/** A picture has no more; a machine of a week in minutes has as many. */
const MOST_STEPS = 10_080
const MOST_THINGS = 16
const MOST_MARKS = 1000

/** @throws StoreError `invalid`. */
export function range(db: Database.Database, query: MeasuredQuery): Measured {
  const span = spanOf(db, query)
  const { mostThings = MOST_THINGS } = query
  const series: MeasuredSeries[] = []
  let leftOut = 0
  for (const [subject, names] of Object.entries(query.columns)) {
    const table = tableOf(subject)
    const columns = names.map((name) => columnOf(table, name))
    if (columns.length === 0) continue
    const things = table.things === undefined ? undefined : highest(db, span, table, columns[0]!)
    leftOut += Math.max((things?.length ?? 0) - mostThings, 0)
    series.push(...seriesOf(db, span, { table, columns, things: things?.slice(0, mostThings) }))
  }
  return { series, marks: marksOf(db, query), leftOut }
}

interface Span {
  readonly fromMs: number
  readonly untilMs: number
  readonly stepMs: number
  /** Conditions on rows, so that each time is in one table only. */
  readonly minutes: string
  readonly samples: string
}

function spanOf(db: Database.Database, { sinceMs, untilMs, stepMs }: MeasuredQuery): Span {
  if (!(Number.isInteger(stepMs) && stepMs >= 1000)) throw invalid('stepMs', stepMs, '1000 or more')
  const fromMs = Math.floor(sinceMs / stepMs) * stepMs
  if (!((untilMs - fromMs) / stepMs <= MOST_STEPS))
    throw invalid('steps', (untilMs - fromMs) / stepMs, `up to ${MOST_STEPS}`)
  const times = (of: string) => `${of}.time_ms >= ${fromMs} AND ${of}.time_ms < ${Math.ceil(untilMs)}`
  const coarse = stepMs % MINUTE_MS === 0
  const minutes = coarse ? times('o') : `${times('o')} AND o.id < coalesce((SELECT min(id) FROM samples), 9e18)`
  const samples = coarse ? `${times('o')} AND o.id > ${progressOf(db, 'rolled_up')}` : times('o')
  return { fromMs, untilMs, stepMs, minutes, samples }
}

/** Numbers of things, those first whose column reached highest. */
function highest(db: Database.Database, span: Span, table: Table, column: Column): number[] {
  const sql = `SELECT thing FROM (${rowsSql(span, table, [column], '')}) GROUP BY thing ORDER BY max(h0) DESC, thing`
  return db.prepare(sql).pluck().all() as number[]
}

interface Wanted {
  readonly table: Table
  readonly columns: readonly Column[]
  /** undefined: there is one only. */
  readonly things: readonly number[] | undefined
}

function seriesOf(db: Database.Database, span: Span, { table, columns, things }: Wanted): MeasuredSeries[] {
  if (things?.length === 0) return []
  const which = things ? ` AND r.thing IN (${things.join(', ')})` : ''
  const values = columns.flatMap((_, at) => [averageSql(columns[at]!, at), `min(l${at})`, `max(h${at})`])
  const sql = `SELECT thing, step * ${span.stepMs}, sum(n), ${values.join(', ')}
    FROM (${rowsSql(span, table, columns, which)}) GROUP BY thing, step ORDER BY thing, step`
  const rows = db.prepare(sql).raw().all() as (number | null)[][]
  const byThing = Map.groupBy(rows, ([thing]) => thing!)
  const order = things ?? [0]
  return order.flatMap((thing) => {
    const found = byThing.get(thing)
    if (!found) return []
    return [{ subject: table.subject, labels: labels(db, table, thing), ...numbersOf(found, columns) }]
  })
}

/** One row of thing, step, how many samples, and average, lowest and highest of each column as stored. */
function rowsSql(
  { stepMs, minutes, samples }: Span,
  { subject, things }: Table,
  columns: readonly Column[],
  which: string,
): string {
  const thing = things === undefined ? '0' : 'r.thing'
  const head = (n: string) => `${thing} AS thing, o.time_ms / ${stepMs} AS step, ${n} AS n`
  const ofMinute = columns.map((column, at) => {
    const { main, low, high } = minuteValues(column, 'r')
    return `${column.counts ? `${main} * 1.0 / r.samples` : main} AS a${at}, ${low} AS l${at}, ${high} AS h${at}`
  })
  const ofSample = columns.map(
    ({ stored }, at) => `r.${stored} AS a${at}, r.${stored} AS l${at}, r.${stored} AS h${at}`,
  )
  return `SELECT ${[head('r.samples'), ...ofMinute].join(', ')}
    FROM minutes AS o JOIN ${subject}_minutes AS r ON r.minute = o.id WHERE ${minutes}${which}
    UNION ALL SELECT ${[head('1'), ...ofSample].join(', ')}
    FROM samples AS o JOIN ${subject}_samples AS r ON r.sample = o.id WHERE ${samples}${which}`
}

/** What counts is nothing where it is not known; so its average times the samples is the sum. */
function averageSql({ counts }: Column, at: number): string {
  return `sum(a${at} * n) * 1.0 / ${counts ? 'sum(n)' : `sum(CASE WHEN a${at} IS NOT NULL THEN n END)`}`
}

function numbersOf(rows: readonly (number | null)[][], columns: readonly Column[]) {
  const all = (index: number) => rows.map((row) => row[index]!)
  const series = (index: number, { scale }: Column) =>
    rows.map((row) => (row[index] === null ? null : row[index]! / scale))
  const entries = columns.map((column, at): [string, MeasuredColumn] => [
    column.name,
    { avg: series(3 + at * 3, column), min: series(4 + at * 3, column), max: series(5 + at * 3, column) },
  ])
  return { timesMs: all(1), samples: all(2), columns: Object.fromEntries(entries) }
}

function labels(db: Database.Database, { subject, things }: Table, thing: number): Record<string, string> {
  if (things === undefined) return {}
  const { identifying, naming } = labelsOf(subject)
  const sql = `SELECT ${[...identifying, ...naming].join(', ')} FROM ${things} WHERE thing = ?`
  const row = (db.prepare(sql).get(thing) ?? {}) as Record<string, string>
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''))
}

function marksOf(db: Database.Database, { sinceMs, untilMs }: MeasuredQuery): MeasuredMark[] {
  const sql = `SELECT kind, from_ms AS fromMs, to_ms AS toMs, message FROM marks
    WHERE max(from_ms, to_ms) >= ? AND min(from_ms, to_ms) <= ? ORDER BY id DESC LIMIT ${MOST_MARKS}`
  return (db.prepare(sql).all(sinceMs, untilMs) as MeasuredMark[]).toReversed()
}

function tableOf(subject: string): Table {
  const table = TABLES.find((one) => one.subject === subject)
  if (table) return table
  throw invalid('subject', subject, TABLES.map((one) => one.subject).join(', '))
}

function columnOf({ subject }: Table, name: string): Column {
  const columns = columnsOf(subject)
  const column = columns.find((one) => one.name === name)
  if (column) return column
  throw invalid(`column of ${subject}`, name, columns.map((one) => one.name).join(', '))
}

function invalid(name: string, value: unknown, accepted: string): StoreError {
  return new StoreError('invalid', `${name} is "${String(value).slice(0, 100)}"; accepted: ${accepted}`)
}
