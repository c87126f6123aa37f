/**
 * What becomes of two readings: rates over CLOCK_MONOTONIC, and marks for what happened to time in between. Where two
 * numbers cannot be compared, there is none.
 */
import { CATALOGUE } from './catalogue/index.ts'
import { LABELS } from './catalogue/labels.ts'
import { marksBetween } from './marks.ts'
import {
  SUBJECTS,
  type Kept,
  type Reading,
  type ReadingRow,
  type Sample,
  type SampleRow,
  type Subject,
} from './metric.ts'

/** After a break of so many intervals an average over it says nothing of any moment in it. */
const BREAK_INTERVALS = 10

/** Of the sample before, also of another boot or another run of diagd, what is needed to say what happened since. */
export type Before = Pick<Reading, 'timeMs' | 'monotonicMs' | 'boottimeMs' | 'bootId'> & {
  /** undefined: it was made by another process. */
  readonly rows?: Reading['rows']
}

interface KeptMetric {
  readonly name: string
  readonly kept: Kept
}

/** `intervalMs`: how far apart they should be. */
export function difference(before: Before | undefined, now: Reading, intervalMs: number): Sample {
  const { timeMs, monotonicMs, bootId } = now
  const elapsedMs = before?.rows && before.bootId === bootId ? monotonicMs - before.monotonicMs : undefined
  const comparable = elapsedMs !== undefined && elapsedMs > 0 && elapsedMs <= intervalMs * BREAK_INTERVALS
  const old = comparable ? byIdentity(before?.rows ?? []) : new Map<string, ReadingRow>()
  const cpus = now.rows.find(({ subject }) => subject === 'host')?.values.cpu_count
  const seconds = (elapsedMs ?? NaN) / 1000
  const rows = now.rows.flatMap((row) => sampleRow(row, old.get(identity(row)), { seconds, cpus }) ?? [])
  const marks = marksBetween(before, now, intervalMs)
  return { timeMs, monotonicMs, bootId, intervalMs: comparable ? elapsedMs : undefined, rows, marks }
}

function byIdentity(rows: readonly ReadingRow[]): Map<string, ReadingRow> {
  return new Map(rows.map((row) => [identity(row), row]))
}

function identity({ subject, labels }: ReadingRow): string {
  return JSON.stringify([subject, ...IDENTIFYING[subject].map((key) => labels[key])])
}

const IDENTIFYING = bySubject((subject) => LABELS[subject].filter(({ identifies }) => identifies).map(({ key }) => key))
const KEPT = bySubject((subject) =>
  CATALOGUE.flatMap((metric): KeptMetric[] =>
    metric.subject === subject && metric.kept ? [{ name: metric.name, kept: metric.kept }] : [],
  ),
)
const COUNTERS = bySubject((subject) =>
  CATALOGUE.filter((metric) => metric.subject === subject && metric.kind === 'counter').map(({ name }) => name),
)

function bySubject<T>(make: (subject: Subject) => T): Readonly<Record<Subject, T>> {
  return Object.fromEntries(SUBJECTS.map((subject) => [subject, make(subject)])) as Record<Subject, T>
}

interface Scale {
  readonly seconds: number
  readonly cpus: number | undefined
}

function sampleRow(row: ReadingRow, before: ReadingRow | undefined, scale: Scale): SampleRow | undefined {
  const { subject, labels, values, problem } = row
  if (subject === 'cpu') return undefined
  const old = before && !startedAnew(before, row) ? before.values : {}
  const columns: Record<string, number> = {}
  for (const { name, kept } of KEPT[subject]) {
    const number = keptNumber(name, kept, { values, old, ...scale })
    if (Number.isFinite(number)) columns[kept.column] = rounded(number, kept.digits ?? 0)
  }
  return { subject, labels, columns, ...(problem !== undefined && { problem }) }
}

/**
 * One counter that went back tells that all of a disk, an interface or a container began at 0 again, also those that have
 * overtaken themselves since. Of the machine some go back by themselves (iowait).
 */
function startedAnew(before: ReadingRow, { subject, values }: ReadingRow): boolean {
  return subject !== 'host' && COUNTERS[subject].some((name) => (values[name] ?? 0) < (before.values[name] ?? 0))
}

/** NaN where it is not known. */
function keptNumber(
  name: string,
  { as, factor = 1 }: Kept,
  { values, old, seconds, cpus }: Scale & Record<'values' | 'old', ReadingRow['values']>,
): number {
  const increase = (key: string) => {
    const grown = (values[key] ?? NaN) - (old[key] ?? NaN)
    return grown >= 0 ? grown : NaN
  }
  if (as === 'value') return (values[name] ?? NaN) * factor
  if (as === 'increase') return increase(name) * factor
  if (as === 'rate') return (increase(name) / seconds) * factor
  if (as === 'rate-per-cpu') return (increase(name) / seconds / (cpus ?? NaN)) * factor
  return (increase(name) / increase(as.per)) * factor
}

function rounded(number: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(number * scale) / scale
}
