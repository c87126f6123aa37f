/** What `serve` sends bundles with: the outbox and what it is filled by. Loaded where something is to be sent. */
import { parseBundleRequest } from '../collect/request.ts'
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
    problem: problemOf(config, { limits, recipients, collectorIds: engine.collectorIds }),
    listen: (listener) => recording?.listen(listener),
    masked: (text) => maskedText(text, deps()),
  })
}

/** Which collectors there are is known only now. */
function problemOf(
  { parameters }: UploadsConfig,
  facts: Pick<Config, 'limits' | 'recipients'> & { readonly collectorIds: readonly string[] },
): string | undefined {
  const { limits: defaults, recipients, collectorIds } = facts
  try {
    parseBundleRequest(parameters, { nowMs: Date.now(), collectorIds, defaults, recipients })
    return undefined
  } catch (error) {
    return `no bundle can be made with what "bundle" says: ${(error as Error).message}`
  }
}

/** Where it cannot be masked, it is withheld. */
async function maskedText(text: string, { redaction }: BundleDeps): Promise<string> {
  const { settings } = redaction
  try {
    if (settings === 'unknown') throw new Error('the configuration of the mask cannot be understood')
    const { createRestingRedactor } = await import('../record/recorder/resting-redactor.ts')
    const { bytes } = await createRestingRedactor({ ...redaction, settings }).whole(Buffer.from(text))
    return bytes.toString()
  } catch (error) {
    return `withheld, for it could not be masked: ${(error as Error).message}`
  }
}
