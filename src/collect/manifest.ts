/** The last words of a bundle: what is in it, what is not, and that it is whole. */
import { release } from 'node:os'
import type { WrittenFile } from '../archive/entry.ts'
import type { Trust } from './trust.ts'
import type { BundleRun } from './run.ts'

export const BUNDLE_SCHEMA = 'diagd.bundle/1'

/** manifest.json; its schema is docs/schema/manifest.schema.json. Rows in the order of the bundle. */
export function manifestJson(bundleId: string, run: BundleRun, outcome: 'whole' | 'partial', redaction: Trust): string {
  const manifest = {
    schema: BUNDLE_SCHEMA,
    bundleId,
    outcome,
    startedAt: new Date(run.startedAtMs).toISOString(),
    finishedAt: new Date().toISOString(),
    kernel: release(),
    counts: countOutcomes(run),
    redaction: { ...redaction, hits: run.redaction.hits },
    rows: run.rows,
    files: run.archive.files,
    complete: true,
  }
  return `${JSON.stringify(manifest, null, 1)}\n`
}

/** For `sha256sum -c` in the top folder; a file with spliced segments has no sum of its own: manifest.json has theirs. Paths hold no byte that coreutils would escape (see archive/entry-path.ts). */
export function sha256Sums(files: readonly WrittenFile[]): string {
  return files.flatMap(({ path, sha256 }) => (sha256 === undefined ? [] : [`${sha256}  ${path}\n`])).join('')
}

function countOutcomes(run: BundleRun): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of run.rows) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
