/** What `serve` sends bundles with: the outbox and what it is filled by. Loaded where something is to be sent. */
import type { BundleDeps } from '../collect/deps.ts'
import { hostFacts } from '../collect/host.ts'
import type { Config } from '../config.ts'
import type { UploadsConfig } from '../config/uploads.ts'
import type { LoadedEngine } from '../daemon.ts'
import type { Places } from '../http/places.ts'
import type { Log } from '../log.ts'
import type { NewEvent } from '../record/events/event.ts'
import type { Measuring } from '../record/measuring.ts'
import { startOfThisBootMs } from '../record/recorder/boots.ts'
import { monotonicNowMs } from '../record/recorder/clock.ts'
import type { Recording } from '../record/recording.ts'
import type { StoreThread } from '../record/store/thread.ts'
import type { BundleRedactor } from '../redact/service.ts'
import { bundleProblem } from '../upload/bundle-problem.ts'
import { silentTriggers } from '../upload/due/silent.ts'
import { createTriggers } from '../upload/due/triggers.ts'
import { createShipping, type Shipping } from '../upload/shipping.ts'
import { createUploads } from '../upload/uploads.ts'

export interface ShippingParts {
  readonly config: Config
  readonly uploads: UploadsConfig
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly recording: Recording | undefined
  readonly measuring: Measuring | undefined
  /** That of the databases. */
  readonly thread: StoreThread
  readonly deps: () => BundleDeps
  readonly log: Log
}

/** What only the daemon has. */
interface ShippingDeps {
  readonly places: Places
  readonly engine: LoadedEngine
}

export function openShipping(parts: ShippingParts, { places, engine }: ShippingDeps): Shipping {
  const { uploads: config, recording, measuring, thread, deps, environment, log } = parts
  const { limits, recipients, stateDir } = parts.config
  const { bootId } = hostFacts(undefined)
  const now = recording?.now ?? (() => ({ timeMs: Date.now(), monotonicMs: monotonicNowMs(), bootId }))
  const tell = (event: NewEvent) => void recording?.add([event]).catch(() => {})
  const uploads = createUploads({
    config,
    limits,
    recipients,
    stateDir,
    node: engine.node,
    bootId,
    thread,
    places,
    engine: () => engine,
    async startSending(job) {
      const { startSending } = await import('../upload/send/sending.ts')
      return startSending(job, { environment })
    },
    async abortStale(stales, signal) {
      const { abortStale } = await import('../upload/send/sending.ts')
      return abortStale(config.target, stales, signal, { environment })
    },
    tell,
    log: log.logger,
  })
  const triggers = createTriggers({
    config: config.triggers,
    parameters: config.parameters,
    uploads,
    now,
    bootStartMs: startOfThisBootMs(),
    tell,
    query: async (filter) => (recording ? recording.query(filter) : []),
    newest: measuring && (() => measuring.newest(['host', 'mount'])),
    log: log.logger,
  })
  return createShipping({
    uploads,
    triggers,
    parameters: config.parameters,
    silent: silentTriggers(config.triggers, parts.config),
    problem: bundleProblem(parts.config, engine.collectorIds),
    listen: (listener) => recording?.listen(listener),
    masked: maskOf(deps),
  })
}

/** Where it cannot be masked, it is withheld. */
function maskOf(deps: () => BundleDeps): (text: string) => Promise<string> {
  let redactor: Pick<BundleRedactor, 'whole'> | undefined
  return async (text) => {
    try {
      const { redaction } = deps()
      const { settings } = redaction
      if (settings === 'unknown') throw new Error('the configuration of the mask cannot be understood')
      const { createRestingRedactor } = await import('../record/recorder/resting-redactor.ts')
      redactor ??= createRestingRedactor({ ...redaction, settings })
      return (await redactor.whole(Buffer.from(text))).bytes.toString()
    } catch (error) {
      return `withheld, for it could not be masked: ${(error as Error).message}`
    }
  }
}
