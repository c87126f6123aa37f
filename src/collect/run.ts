/** The state of one bundle while it is made; everything that its parts share, in one place. */
import type { ArchiveWriter } from '../archive/writer.ts'
import type { SourceContext } from '../sources/source.ts'
import type { Budget } from './budget.ts'
import type { BundleDeps } from './deps.ts'
import type { BundleRedaction } from './redaction.ts'
import type { Slots } from './slots.ts'
import type { Trace } from './trace.ts'
import type { BundleRequest, ManifestRow, ProgressEvent } from './types.ts'

export interface BundleRun {
  readonly request: BundleRequest
  readonly deps: BundleDeps
  readonly archive: ArchiveWriter
  readonly source: SourceContext
  /** What everything goes through; its live values are known once summary.txt is written. */
  redaction: BundleRedaction
  readonly budget: Budget
  readonly slots: Slots
  readonly trace: Trace
  readonly rows: ManifestRow[]
  readonly startedAtMs: number
  readonly onProgress: (event: ProgressEvent) => void
  /** Ends everything of this bundle. */
  readonly abort: (reason: unknown) => void
}
