/** Everything that outlives one bundle, put together once per process. */
import { join } from 'node:path'
import type { HostFacts, SelfFacts } from '../collector.ts'
import { masked, type Config } from '../config.ts'
import { nodeKey } from '../redact/node-key.ts'
import { createSeenValues } from '../redact/seen.ts'
import { createRedactionService } from '../redact/service.ts'
import { FIXED_PATH } from '../sources/lookup.ts'
import { VERSION } from '../version.ts'
import { hostFacts } from './host.ts'
import type { Recorded } from './recorded.ts'
import { NOTHING_KEPT, type ContainersRecorded } from './recorded-containers.ts'
import type { MetricsRecorded } from './recorded-metrics.ts'
import type { UploadsRecorded } from './recorded-uploads.ts'
import type { RedactionDeps } from './redaction.ts'
import { loadRegistry } from './registry.ts'
import { secretsIn } from './secret-files.ts'
import type { RegisteredCollector } from './types.ts'

export interface BundleDeps {
  readonly collectors: readonly RegisteredCollector[]
  readonly dropInProblems: readonly string[]
  readonly host: HostFacts
  /** Sockets that the config or DOCKER_HOST name. */
  readonly engines: readonly string[]
  /** Prefix of all paths on the host; '' but in tests. */
  readonly root: string
  /** The PATH commands are looked up on; fixed but in tests. */
  readonly path: string
  readonly self: () => SelfFacts
  readonly redaction: RedactionDeps
  /** Nothing is recorded without it. */
  readonly recorded?: Recorded | undefined
  /** Nothing is measured without it. */
  readonly measured?: MetricsRecorded | undefined
  readonly kept: ContainersRecorded
  /** Nothing is sent without it. */
  readonly uploads?: UploadsRecorded | undefined
}

export interface DepsOptions {
  readonly startedAtMs: number
  readonly log: () => string
  readonly health: () => unknown
  /** Nothing is recorded without it. */
  readonly recorded?: Recorded | undefined
  /** Nothing is measured without it. */
  readonly measured?: MetricsRecorded | undefined
  /** Nothing is kept of containers without it. */
  readonly kept?: ContainersRecorded | undefined
  /** Nothing is sent without it. */
  readonly uploads?: UploadsRecorded | undefined
}

export async function createDeps(config: Config, options: DepsOptions): Promise<BundleDeps> {
  const host = hostFacts(config.node)
  const registry = await loadRegistry(config.configDir, host.uid)
  const { redaction, events } = config
  return {
    collectors: registry.collectors,
    dropInProblems: registry.problems,
    host,
    engines: config.engines,
    root: '',
    path: FIXED_PATH,
    recorded: options.recorded,
    measured: options.measured,
    kept: options.kept ?? NOTHING_KEPT,
    uploads: options.uploads,
    self: () => ({
      version: VERSION,
      nodeVersion: process.version,
      startedAtMs: options.startedAtMs,
      pid: process.pid,
      config: masked(config),
      health: options.health(),
      log: options.log,
      watchedUnits: config.watchedUnits,
      phases: events === 'none' ? {} : { start: events.phaseStart, end: events.phaseEnd },
    }),
    redaction: {
      service: createRedactionService(),
      nodeKey: await nodeKey(join(config.stateDir, 'redaction.key')),
      settings: redaction === 'unknown' ? redaction : { names: redaction.names, userRules: redaction.rules },
      values: () => secretsIn(redaction === 'unknown' ? [] : redaction.files),
      seen: createSeenValues(),
    },
  }
}
