/** The last words of `diagd collect`: what is not in the bundle, and where the bundle is. */
import type { Outcome } from '../collector.ts'
import type { BundleResult, ManifestRow } from '../collect/types.ts'
import { formatBytes, formatDuration } from '../terminal.ts'

/** The worst first. What is skipped comes last and short: it is not there, and that is nobody's fault. */
const ORDER: readonly Outcome[] = ['failed', 'timeout', 'partial', 'withheld']

/** A screen full; the manifest has them all. */
const MAX_LINES = 200

export function summarize(
  { rows, outcome, bytesIn, bytesOut, durationMs }: BundleResult,
  name: string | undefined,
): string[] {
  const notOk = ORDER.flatMap((each) => rows.filter((row) => row.outcome === each))
  const lines = notOk
    .slice(0, MAX_LINES)
    .map(({ outcome, path, detail = '' }) => `${outcome.padEnd(8)}  ${path}: ${detail}`)
  if (notOk.length > MAX_LINES) lines.push(`and ${notOk.length - MAX_LINES} more; manifest.json has them all`)
  lines.push(...skippedLines(rows.filter((row) => row.outcome === 'skipped')))
  const entries = `${rows.filter((row) => row.outcome === 'ok').length} of ${rows.length} entries ok`
  const sizes = `${formatBytes(bytesOut)} (${formatBytes(bytesIn)} uncompressed)`
  lines.push(`${outcome === 'whole' ? 'Whole' : 'Partial'} bundle: ${entries}, ${sizes}, ${formatDuration(durationMs)}`)
  if (name !== undefined) lines.push(name)
  return lines
}

/** Those with the same reason on one line: `skipped   4 entries (firewall, docker): no root rights`. */
function skippedLines(rows: readonly ManifestRow[]): string[] {
  const byReason = Map.groupBy(rows, ({ detail = '' }) => detail)
  return [...byReason].map(([reason, group]) => {
    const collectors = [...new Set(group.map(({ collector }) => collector))].join(', ')
    const what = group.length === 1 ? group[0]!.path : `${group.length} entries (${collectors})`
    return `skipped   ${what}: ${reason}`
  })
}
