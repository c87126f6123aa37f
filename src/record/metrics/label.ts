/** What the main thread has to know of metrics.db. */
import type { Label } from '../store/book.ts'

export const METRICS_LABEL: Label = {
  name: 'metrics',
  fileName: 'metrics.db',
  words: { database: 'The database of metrics', kept: 'Metrics', units: 'samples' },
}
