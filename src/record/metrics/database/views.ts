/** The views of metrics.db: numbers as people read them. */
import { columnsOf, labelsOf, minuteValues, shown, TABLES, type Column, type KeptSubject } from './columns.ts'
import { HAND_MADE } from './hand-made-views.ts'

export interface View {
  readonly name: string
  /** As SQLite keeps it. */
  readonly sql: string
}

/** For each subject: the samples, the minutes, and both, each time once. */
export const VIEWS: readonly View[] = [
  ...TABLES.flatMap(({ subject, things }) => [
    view(subject, samplesView(subject, things)),
    view(`${subject}_per_minute`, minutesView(subject, things)),
    view(`${subject}_all`, allView(subject)),
  ]),
  ...Object.entries(HAND_MADE).map(([name, select]) => view(name, select)),
]

function view(name: string, select: string): View {
  return { name, sql: `CREATE VIEW ${name} AS\n${select}` }
}

/** ISO 8601 in UTC, so that texts sort as times do. */
function iso(milliseconds: string): string {
  return `strftime('%Y-%m-%dT%H:%M:%fZ', ${milliseconds} / 1000.0, 'unixepoch')`
}

function samplesView(subject: KeptSubject, things: string | undefined): string {
  const columns = [
    `${iso('s.time_ms')} AS time`,
    ...labels(subject),
    ...columnsOf(subject).map((column) => `${shown(column, `r.${column.stored}`)} AS ${column.name}`),
    'p.problem AS problem',
    's.time_ms AS time_ms',
    's.monotonic_ms AS monotonic_ms',
    's.boottime_ms AS boottime_ms',
    's.interval_ms AS interval_ms',
    'b.boot_id AS boot_id',
    's.id AS sample',
  ]
  return `${select(columns)} FROM ${subject}_samples AS r JOIN samples AS s ON s.id = r.sample\n  ${joins('s', things)}`
}

function minutesView(subject: KeptSubject, things: string | undefined): string {
  const columns = [
    `${iso('m.time_ms')} AS time`,
    ...labels(subject),
    'r.samples AS samples',
    ...columnsOf(subject).flatMap(minuteShown),
    'p.problem AS problem',
    'm.time_ms AS time_ms',
    'm.monotonic_ms AS monotonic_ms',
    'b.boot_id AS boot_id',
    'm.id AS minute',
  ]
  return `${select(columns)} FROM ${subject}_minutes AS r JOIN minutes AS m ON m.id = r.minute\n  ${joins('m', things)}`
}

/** Minutes of which no sample is kept any more, then samples. */
function allView(subject: KeptSubject): string {
  const { identifying, naming } = labelsOf(subject)
  const before = ['time', ...identifying, ...naming]
  const after = ['problem', 'time_ms', 'monotonic_ms', 'boot_id']
  const columns = columnsOf(subject)
  const minutes = columns.map(({ name, counts }) => `${name}_${counts ? 'sum' : 'avg'} AS ${name}`)
  const older = 'coalesce((SELECT min(id) FROM samples), 9e18)'
  return `SELECT ${[...before, `'minute' AS span`, ...minutes, ...after].join(', ')}
  FROM ${subject}_per_minute WHERE minute < ${older}
  UNION ALL SELECT ${[...before, `'sample'`, ...columns.map(({ name }) => name), ...after].join(', ')} FROM ${subject}`
}

function minuteShown(column: Column): string[] {
  const { main, low, high } = minuteValues(column, 'r')
  return [
    `${shown(column, main)} AS ${column.name}_${column.counts ? 'sum' : 'avg'}`,
    `${shown(column, low)} AS ${column.name}_min`,
    `${shown(column, high)} AS ${column.name}_max`,
  ]
}

function labels(subject: KeptSubject): string[] {
  const { identifying, naming } = labelsOf(subject)
  return [...identifying, ...naming].map((key) => `t.${key} AS ${key}`)
}

function select(columns: readonly string[]): string {
  return `  SELECT\n    ${columns.join(',\n    ')}\n `
}

function joins(from: string, things: string | undefined): string {
  const thing = things === undefined ? '' : ` JOIN ${things} AS t ON t.thing = r.thing`
  return `JOIN boots AS b ON b.id = ${from}.boot${thing} LEFT JOIN problems AS p ON p.id = r.problem`
}
