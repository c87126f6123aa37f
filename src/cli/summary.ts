/** The last words of `diagd collect`: what is not in the bundle, and where the bundle is. */
import type { Outcome } from '../collector.ts'
import type { BundleResult, ManifestRow } from '../collect/types.ts'
import { formatBytes, formatDuration } from '../terminal.ts'

/** The worst first. What is skipped stands before them: it is not there, and that is nobody's fault. */
const ORDER: readonly Outcome[] = ['failed', 'timeout', 'partial', 'withheld']

/** A screen full; the manifest has them all. */
const MAX_LINES = 200

/** On one line; a small limit of the bundle leaves out a hundred entries for one and the same reason. */
const MAX_NAMES = 20

export function summarize(result: BundleResult, name: string | undefined): string[] {
  const { rows, outcome, bytesIn, bytesOut, durationMs } = result
  const notOk = ORDER.flatMap((each) => withSameReason(rows.filter((row) => row.outcome === each)))
  const lines = skippedLines(rows.filter((row) => row.outcome === 'skipped'))
  lines.push(...notOk.slice(0, MAX_LINES).map(notOkLine))
  const others = notOk.slice(MAX_LINES).flat().length
  if (others > 0) lines.push(`and ${others} more; manifest.json has them all`)
  const sizes = `${formatBytes(bytesOut)} (${formatBytes(bytesIn)} uncompressed)`
  const title = outcome === 'whole' ? 'Whole' : 'Partial'
  lines.push(`${title} bundle: ${countOutcomes(rows)}, ${sizes}, ${formatDuration(durationMs)}`)
  if (name !== undefined) lines.push(name)
  return lines
}

/** Of one collector, in the order in which the first of each came. */
function withSameReason(rows: readonly ManifestRow[]): ManifestRow[][] {
  return [...Map.groupBy(rows, ({ collector, detail = '' }) => `${collector} ${detail}`).values()]
}

function notOkLine(group: readonly ManifestRow[]): string {
  const [{ outcome, collector, path, detail = '' }] = group as readonly [ManifestRow]
  if (group.length === 1) return `${outcome.padEnd(8)}  ${path}: ${detail}`
  const more = group.length > MAX_NAMES ? ` and ${group.length - MAX_NAMES} more` : ''
  return `${outcome.padEnd(8)}  ${collector}: ${names(group.slice(0, MAX_NAMES))}${more} (${detail})`
}

/** `137 entries ok, 2 failed, 34 skipped` */
function countOutcomes(rows: readonly ManifestRow[]): string {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length
  const others = [...ORDER, 'skipped' as const].filter((outcome) => count(outcome) > 0)
  const ok = count('ok') === 1 ? '1 entry ok' : `${count('ok')} entries ok`
  return [ok, ...others.map((outcome) => `${count(outcome)} ${outcome}`)].join(', ')
}

/** One line per collector: the names, and the reason if they share one; manifest.json has it of each. */
function skippedLines(rows: readonly ManifestRow[]): string[] {
  const byCollector = Map.groupBy(rows, ({ collector }) => collector)
  return [...byCollector].map(([collector, group]) => {
    const [reason, ...others] = new Set(group.map(({ detail = '' }) => detail))
    return `skipped   ${collector}: ${names(group)}${others.length === 0 ? ` (${reason})` : ''}`
  })
}

/** Below the folder of their collector. */
function names(rows: readonly ManifestRow[]): string {
  return rows.map(({ collector, path }) => path.replace(`${collector}/`, '')).join(', ')
}
