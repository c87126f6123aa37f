/** Numbers as Prometheus groups them: a family is one name with one help and one type, and samples with labels. */
import { LABELS } from './catalogue/labels.ts'
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
export function readingFamilies({ rows }: Pick<Reading, 'rows'>, catalogue: readonly Metric[]): Family[] {
  const labelled = Map.groupBy(rows.map(named), ({ subject }) => subject)
  const served = catalogue.filter((metric) => metric.prometheus !== undefined)
  const found = [...Map.groupBy(served, ({ prometheus }) => prometheus!.name)].map(([name, metrics]) => {
    const [{ help, kind, prometheus }] = metrics as [Metric]
    const samples = metrics.flatMap((metric) => samplesOf(metric, labelled.get(metric.subject) ?? []))
    return { name, help: prometheus!.help ?? help, kind, samples }
  })
  return found.filter(({ samples }) => samples.length > 0)
}

/** With the labels as Prometheus has them; to it an empty one is none. */
function named({ subject, labels, values }: ReadingRow): Pick<ReadingRow, 'subject' | 'labels' | 'values'> {
  const pairs = LABELS[subject].map(({ key, prometheus }) => [prometheus, labels[key]])
  return { subject, labels: Object.fromEntries(pairs.filter(([name, value]) => name && value)), values }
}

function samplesOf(
  { name, prometheus }: Metric,
  rows: readonly Pick<ReadingRow, 'labels' | 'values'>[],
): FamilySample[] {
  return rows.flatMap(({ labels, values }) => {
    const value = values[name]
    return value === undefined ? [] : [{ labels: { ...labels, ...prometheus!.labels }, value }]
  })
}
