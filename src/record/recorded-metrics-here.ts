/** What was measured, for a bundle of the daemon that measures. */
import type { MetricsRecorded } from '../collect/recorded-metrics.ts'
import { snapshotSource } from '../sources/sqlite.ts'
import type { MetricsStore } from './metrics/store.ts'

export function metricsHere(store: Pick<MetricsStore, 'path' | 'range' | 'snapshot' | 'setAside'>): MetricsRecorded {
  return {
    origin: store.path,
    range: (query) => store.range(query),
    open: async ({ signal }) => snapshotSource(await store.snapshot(signal), store.path, signal),
    setAside: () => store.setAside(),
  }
}
