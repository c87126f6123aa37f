/**
 * Families as text: Prometheus' exposition format 0.0.4, and OpenMetrics 1.0 for who asks for it.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { Family, FamilySample } from './families.ts'

export type Exposition = 'text' | 'openmetrics'

export const EXPOSITION_TYPES: Record<Exposition, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Families of the same name are put together: a name may stand at one place only. */
export function exposition(families: readonly Family[], format: Exposition): string {
  const lines = [...Map.groupBy(families, ({ name }) => name).values()].map((same) => {
    const samples = same.flatMap((family) => family.samples)
    return familyText({ ...same[0]!, samples }, format)
  })
  return lines.join('') + (format === 'openmetrics' ? '# EOF\n' : '')
}

function familyText({ name, help, kind, samples }: Family, format: Exposition): string {
  const head = headOf(name, kind, format)
  const helped = `# HELP ${head.name} ${escaped(help, format === 'openmetrics')}\n# TYPE ${head.name} ${head.type}\n`
  return helped + samples.map((sample) => `${name}${labelsText(sample)} ${numberText(sample.value)}\n`).join('')
}

/**
 * OpenMetrics names a family of counters without the `_total` of its samples. A counter must end so; one of node_exporter that
 * does not (`node_vmstat_oom_kill`) is of no type, as it is there.
 */
function headOf(name: string, kind: Family['kind'], format: Exposition): { name: string; type: string } {
  if (kind === 'gauge') return { name, type: kind }
  if (!name.endsWith('_total')) return { name, type: format === 'text' ? 'untyped' : 'unknown' }
  return { name: format === 'text' ? name : name.slice(0, -'_total'.length), type: kind }
}

function labelsText({ labels }: FamilySample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, true)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string, quotes: boolean): string {
  const plain = text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
  return quotes ? plain.replaceAll('"', String.raw`\"`) : plain
}

/** JavaScript writes numbers as Go reads them, but for the infinite. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
