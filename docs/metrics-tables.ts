/** The tables of docs/metrics.md: all that is measured, from the catalogue. */
import { CATALOGUE } from '../src/record/metrics/catalogue/index.ts'
import { LABELS } from '../src/record/metrics/catalogue/labels.ts'
import { SUBJECTS, type Kept, type Metric, type Named, type Subject } from '../src/record/metrics/metric.ts'

const TITLES: Readonly<Record<Subject, string>> = {
  host: 'The machine, and diagd',
  cpu: 'Each CPU',
  mount: 'Each mounted file system',
  disk: 'Each disk',
  interface: 'Each network interface',
  container: 'Each container',
  process: 'Processes, while something waits',
}

export function metricsReference(
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): string {
  return SUBJECTS.map((subject) => {
    const metrics = CATALOGUE.filter((metric) => metric.subject === subject)
    const rows = metrics.map((metric) => [keptText(metric), metric.help, served(metric), exported(metric)])
    return `### ${TITLES[subject]}\n\n${labelsText(subject)}${table(['in metrics.db', 'what', 'Prometheus', 'OpenTelemetry'], rows)}`
  }).join('\n')
}

function labelsText(subject: Subject): string {
  const labels = LABELS[subject].map(({ key, help, prometheus, otel }) => {
    const others = [...new Set([prometheus ?? [], otel ?? []].flat())].filter((name) => name !== key)
    return `\`${key}\`${others.length > 0 ? ` (${others.map((name) => `\`${name}\``).join(', ')})` : ''}: ${lowerCase(help)}`
  })
  return labels.length === 0 ? '' : `Labels: ${labels.join('; ')}.\n\n`
}

function lowerCase(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1, -1)
}

function keptText({ kept }: Metric): string {
  return kept ? `\`${kept.column}\`${howText(kept)}` : ''
}

/** A gauge needs no word. */
function howText({ as }: Kept): string {
  if (as === 'value') return ''
  if (as === 'increase') return ', more than in the sample before'
  return typeof as === 'object' ? `, for each of \`${as.per}\`` : ''
}

function served({ prometheus }: Metric): string {
  return prometheus ? named(prometheus) : ''
}

function exported({ otel }: Metric): string {
  return otel ? `${named(otel)}, ${otel.unit}` : ''
}

function named({ name, labels = {} }: Named): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`)
  return `\`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''}\``
}
