/** Configuration and collectors, as every command needs them. */
import type { BundleDeps } from '../collect/deps.ts'
import { createDeps } from '../collect/deps.ts'
import { hostFacts } from '../collect/host.ts'
import type { Config, Problem } from '../config.ts'
import { loadConfig } from '../config/load.ts'
import { beside } from '../record/beside.ts'
import { keptBeside } from '../record/kept-here.ts'
import { recordedBeside } from '../record/recorded-beside.ts'
import { metricsBeside } from '../record/recorded-metrics-beside.ts'
import { uploadsBeside } from '../upload/recorded/uploads-beside.ts'
import type { Io } from './io.ts'

export interface Prepared {
  readonly config: Config
  /** Of the configuration first, then of the drop-ins. */
  readonly problems: readonly Problem[]
  readonly deps: BundleDeps
}

/** For the commands that work without a daemon: its log and health are those of nobody. */
export async function prepare(io: Io): Promise<Prepared> {
  const { config, problems } = await loadConfig(io.environment, io.uid)
  const health = () => ({ status: 'no daemon', problems })
  const { events, metrics, containers, socket, stateDir } = config
  const daemon = beside(socket)
  const recorded =
    events === 'none' ? undefined : recordedBeside({ daemon, stateDir, bootId: hostFacts(undefined).bootId })
  const measured = metrics === 'none' ? undefined : metricsBeside({ daemon, stateDir })
  const kept = containers === 'none' ? undefined : keptBeside(socket, stateDir, () => deps.redaction)
  const uploads = uploadsBeside({ daemon, stateDir, isConfigured: config.uploads !== 'none' })
  const facts = { startedAtMs: Date.now(), log: () => '', health, recorded, measured, kept, uploads }
  const deps: BundleDeps = await createDeps(config, facts)
  return { config, deps, problems: [...problems, ...dropInProblems(deps)] }
}

export function dropInProblems(deps: BundleDeps): Problem[] {
  return deps.dropInProblems.map((message) => ({ key: 'drop-in', message }))
}
