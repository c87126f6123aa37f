/** How the numbers of the catalogue lie in metrics.db: as whole numbers, which SQLite keeps in as few bytes as they need. */
import { CATALOGUE } from '../catalogue/index.ts'
import { LABELS } from '../catalogue/labels.ts'
import type { Kept, Metric, SampleRow } from '../metric.ts'

export type KeptSubject = SampleRow['subject']

/** What has tables, and the table that tells its things apart. There is one host. */
export const TABLES: readonly { readonly subject: KeptSubject; readonly things?: string }[] = [
  { subject: 'host' },
  { subject: 'mount', things: 'mounts' },
  { subject: 'disk', things: 'disks' },
  { subject: 'interface', things: 'interfaces' },
  { subject: 'container', things: 'containers' },
  { subject: 'process', things: 'processes' },
]

export interface Column {
  /** As the catalogue names it, and the views. */
  readonly name: string
  /** In the tables; it tells what one of it is: `cpu_user_percent_x10`, `memory_free_kib`. */
  readonly stored: string
  /** Stored is the number times this. */
  readonly scale: number
  /** Events between two samples: of a minute their sum is kept, not their average. */
  readonly counts: boolean
}

const columns = new Map(TABLES.map(({ subject }) => [subject, columnsIn(CATALOGUE, subject)]))

export function columnsOf(subject: KeptSubject): readonly Column[] {
  return columns.get(subject)!
}

/** Keys of labels, those first that tell a thing from others. */
export function labelsOf(subject: KeptSubject): {
  readonly identifying: readonly string[]
  readonly naming: readonly string[]
} {
  const keys = (which: boolean) =>
    LABELS[subject].filter(({ identifies }) => identifies === which).map(({ key }) => key)
  return { identifying: keys(true), naming: keys(false) }
}

function columnsIn(catalogue: readonly Metric[], subject: KeptSubject): Column[] {
  return catalogue.filter((metric) => metric.subject === subject).flatMap(({ kept }) => (kept ? [columnOf(kept)] : []))
}

function columnOf({ column, as, digits = 0 }: Kept): Column {
  const counts = as === 'increase'
  // The kernel counts memory in KiB or pages, file systems count in blocks.
  if (as === 'value' && digits === 0 && column.endsWith('_bytes'))
    return { name: column, stored: `${column.slice(0, -'bytes'.length)}kib`, scale: 1 / 1024, counts }
  const scale = 10 ** digits
  return { name: column, stored: digits === 0 ? column : `${column}_x${scale}`, scale, counts }
}

/** A number as it is stored; null where there is none. */
export function storedOf({ scale }: Column, value: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null
  const stored = Math.round(value * scale)
  return Number.isSafeInteger(stored) ? stored : null
}

/** SQL that makes the number again of what is stored. */
export function shown({ scale }: Column, stored: string): string {
  if (scale === 1) return stored
  return scale < 1 ? `${stored} * ${1 / scale}` : `${stored} / ${scale}.0`
}

/** Three for a minute. Of what is no count, the average and how far the lowest and the highest are from it: small numbers. */
export function minuteColumns({ stored, counts }: Column): readonly [string, string, string] {
  return counts
    ? [`${stored}_sum`, `${stored}_min`, `${stored}_max`]
    : [`${stored}_avg`, `${stored}_below`, `${stored}_above`]
}

/** SQL for the average (or the sum), the lowest and the highest of a minute, as stored. */
export function minuteValues(
  column: Column,
  row: string,
): { readonly main: string; readonly low: string; readonly high: string } {
  const [main, low, high] = minuteColumns(column).map((name) => `${row}.${name}`) as [string, string, string]
  return column.counts ? { main, low, high } : { main, low: `(${main} - ${low})`, high: `(${main} + ${high})` }
}
