/** Numbers as Prometheus groups them: a family is one name with one help and one type, and samples with labels. */
import type { Metric, Reading, ReadingRow } from './metric.ts'

export interface Family {
  readonly name: string
  /** A sentence for people. */
  readonly help: string
  readonly kind: Metric['kind']
  readonly samples: readonly FamilySample[]
}

export interface FamilySample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** In the order of the catalogue; a metric of which nothing was read has no family. */
export function readingFamilies(reading: Pick<Reading, 'rows'>, catalogue: readonly Metric[]): Family[] {
  const rowsOf = Map.groupBy(reading.rows, ({ subject }) => subject)
  const served = catalogue.filter((metric) => metric.prometheus !== undefined)
  const found = [...Map.groupBy(served, (metric) => metric.prometheus!.name)].map(([name, metrics]) => {
    const [{ help, kind }] = metrics as [Metric]
    const samples = metrics.flatMap((metric) => samplesOf(metric, rowsOf.get(metric.subject) ?? []))
    return { name, help, kind, samples }
  })
  return found.filter(({ samples }) => samples.length > 0)
}

function samplesOf({ name, prometheus }: Metric, rows: readonly ReadingRow[]): FamilySample[] {
  return rows.flatMap(({ labels, values }) => {
    const value = values[name]
    return value === undefined ? [] : [{ labels: { ...labels, ...prometheus!.labels }, value }]
  })
}
