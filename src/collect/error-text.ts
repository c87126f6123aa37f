/** The text beside an entry that is missing or short: why, in a sentence, and what the source said of it. */
import type { ManifestRow } from './types.ts'

export function errorText(row: ManifestRow, stderr: string | undefined): string {
  const lines = [`${row.path}: ${row.outcome}`, row.detail ?? 'no reason is known']
  // Of what was not even asked for, the reason is all there is.
  if (row.origin !== row.detail) lines.push('', `source: ${row.origin ?? 'none'}`)
  if (stderr) lines.push('stderr:', stderr.trimEnd())
  return `${lines.join('\n')}\n`
}
