/** The last words of `diagd collect`: what is not in the bundle, and where the bundle is. */
import type { Outcome } from '../collector.ts'
import type { BundleResult, ManifestRow } from '../collect/types.ts'
import { formatBytes, formatDuration } from '../terminal.ts'

/** The worst first. What is skipped stands before them: it is not there, and that is nobody's fault. */
const ORDER: readonly Outcome[] = ['failed', 'timeout', 'partial', 'withheld']

/** A screen full; the manifest has them all. */
const MAX_LINES = 200

export function summarize(result: BundleResult, name: string | undefined): string[] {
  const { rows, outcome, bytesIn, bytesOut, durationMs } = result
  const notOk = ORDER.flatMap((each) => rows.filter((row) => row.outcome === each))
  const lines = skippedLines(rows.filter((row) => row.outcome === 'skipped'))
  lines.push(...notOk.slice(0, MAX_LINES).map((row) => `${row.outcome.padEnd(8)}  ${row.path}: ${row.detail ?? ''}`))
  if (notOk.length > MAX_LINES) lines.push(`and ${notOk.length - MAX_LINES} more; manifest.json has them all`)
  const sizes = `${formatBytes(bytesOut)} (${formatBytes(bytesIn)} uncompressed)`
  const title = outcome === 'whole' ? 'Whole' : 'Partial'
  lines.push(`${title} bundle: ${countOutcomes(rows)}, ${sizes}, ${formatDuration(durationMs)}`)
  if (name !== undefined) lines.push(name)
  return lines
}

/** `137 entries ok, 2 failed, 34 skipped` */
function countOutcomes(rows: readonly ManifestRow[]): string {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length
  const others = [...ORDER, 'skipped' as const].filter((outcome) => count(outcome) > 0)
  return [`${count('ok')} entries ok`, ...others.map((outcome) => `${count(outcome)} ${outcome}`)].join(', ')
}

/** One line per collector: the names, and the reason if they share one; manifest.json has it of each. */
function skippedLines(rows: readonly ManifestRow[]): string[] {
  const byCollector = Map.groupBy(rows, ({ collector }) => collector)
  return [...byCollector].map(([collector, group]) => {
    const names = group.map(({ path }) => path.replace(`${collector}/`, '')).join(', ')
    const [reason, ...others] = new Set(group.map(({ detail = '' }) => detail))
    return `skipped   ${collector}: ${names}${others.length === 0 ? ` (${reason})` : ''}`
  })
}
