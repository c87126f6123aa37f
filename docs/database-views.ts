/** The views of docs/databases.md: what tells their rows apart, and which numbers they have. */
import { CATALOGUE } from '../src/record/metrics/catalogue/index.ts'
import { LABELS } from '../src/record/metrics/catalogue/labels.ts'
import { SUBJECTS } from '../src/record/metrics/metric.ts'

export function metricsViews(table: (head: readonly string[], rows: readonly (readonly string[])[]) => string): string {
  const rows = SUBJECTS.flatMap((subject) => {
    const columns = CATALOGUE.flatMap(({ subject: one, kept }) => (one === subject && kept ? [kept.column] : []))
    if (columns.length === 0) return []
    const labels = LABELS[subject].map(({ key }) => `\`${key}\``).join(', ')
    return [[`\`${subject}\``, labels, columns.map((column) => `\`${column}\``).join(', ')]]
  })
  return table(['view', 'of what', 'numbers'], rows)
}
