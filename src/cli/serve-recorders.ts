/** What `serve` records with: events, metrics, containers, and who they are handed to. Each is opened when the doors are, and loaded then. */
import { join } from 'node:path'
import type { BundleDeps } from '../collect/deps.ts'
import { hostFacts } from '../collect/host.ts'
import type { Config } from '../config.ts'
import type { DaemonInput } from '../daemon.ts'
import type { Log } from '../log.ts'
import type { Otlp } from '../otlp/exporter.ts'
import type { Keeping } from '../record/keeping.ts'
import { createMeasuring, type Measuring } from '../record/measuring.ts'
import { createRecording, type Recording } from '../record/recording.ts'
import { openStoreThread } from '../record/store-thread.ts'
import type { StoreThread } from '../record/store/thread.ts'
import { VERSION } from '../version.ts'
import { createFollowing } from './serve-containers.ts'
import type { ShippingParts } from './serve-uploads.ts'

export interface Recorders {
  readonly recording: Recording | undefined
  readonly measuring: Measuring | undefined
  readonly keeping: Keeping | undefined
  /** In which all databases are. */
  readonly thread: StoreThread
}

/** @param deps those of bundles, known when the recorder is opened. */
export function createRecorders(config: Config, deps: () => BundleDeps, { logger }: Log): Recorders {
  const { events } = config
  const { bootId } = hostFacts(undefined)
  const thread = openStoreThread()
  const recording =
    events === 'none'
      ? undefined
      : createRecording(bootId, async (stored) => {
          const { openRecorder } = await import('../record/open-recorder.ts')
          const { redaction } = deps()
          const options = { redaction, bootId, version: VERSION, log: logger, thread, stored }
          return openRecorder({ ...options, config: { ...config, events } })
        })
  const measuring = createMeasurer(config, thread, recording)
  const keeping = createFollowing({ config, bootId, deps, recording, measuring })
  return { recording, measuring, keeping, thread }
}

function createMeasurer(
  { metrics, stateDir }: Config,
  thread: StoreThread,
  recording: Recording | undefined,
): Measuring | undefined {
  if (metrics === 'none') return undefined
  const { intervalMs, keepSamplesMs, keepMinutesMs, maxBytes, pressure } = metrics
  return createMeasuring({
    path: join(stateDir, 'metrics.db'),
    intervalMs,
    async open() {
      const { createMetricsStore } = await import('../record/metrics/store.ts')
      return createMetricsStore({
        folder: stateDir,
        sampleAgeMs: keepSamplesMs,
        minuteAgeMs: keepMinutesMs,
        intervalMs,
        maxBytes,
        sampling: { pressure, root: '' },
        thread,
        tell: (notice) => recording?.tell(notice),
      })
    },
  })
}

/** undefined where nothing is to be sent. */
export async function createShipper(parts: Omit<ShippingParts, 'uploads'>): Promise<DaemonInput['shipping']> {
  const { uploads } = parts.config
  if (uploads === 'none') return undefined
  const { openShipping } = await import('./serve-uploads.ts')
  return (given) => openShipping({ ...parts, uploads }, given)
}

export interface OtlpParts extends Recorders {
  readonly config: Config
  readonly deps: () => BundleDeps
  /** The text of GET /system-info. */
  readonly systemInfo: () => Promise<Buffer>
  readonly log: Log
}

/** undefined where nobody is to get anything. */
export async function createExport(parts: OtlpParts): Promise<Otlp | undefined> {
  const { config, recording, measuring, deps, systemInfo, log } = parts
  const { otlp } = config
  if (otlp === 'none') return undefined
  const { createOtlp } = await import('../otlp/exporter.ts')
  const { CATALOGUE } = await import('../record/metrics/catalogue/index.ts')
  return createOtlp({
    config: otlp,
    version: VERSION,
    async resource() {
      const { resource } = JSON.parse((await systemInfo()).toString()) as { resource: Record<string, string> }
      const own = { 'service.name': 'diagd', 'service.version': VERSION, 'service.instance.id': deps().host.node }
      return { ...resource, ...own }
    },
    reading: measuring?.reading,
    catalogue: CATALOGUE,
    events: recording,
    log: log.logger,
  })
}
