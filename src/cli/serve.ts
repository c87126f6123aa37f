/** `diagd serve`: the daemon, until a signal ends it. */
import { bundleId, collectBundle } from '../collect/bundle.ts'
import { createDeps } from '../collect/deps.ts'
import { loadConfig } from '../config/load.ts'
import { startDaemon } from '../daemon.ts'
import type { LoadedEngine } from '../daemon.ts'
import { createLog } from '../log.ts'
import { VERSION } from '../version.ts'
import { dropInProblems } from './engine.ts'
import { EXIT } from './io.ts'
import type { Io } from './io.ts'
import { catchSignals } from './signals.ts'

export async function serve(io: Io): Promise<number> {
  const { config, problems } = await loadConfig(io.environment, io.uid)
  const log = createLog(config.logLevel, io.stderr)
  const interrupt = catchSignals()
  const loadEngine = async (facts: Parameters<typeof createDeps>[1]): Promise<LoadedEngine> => {
    const deps = await createDeps(config, facts)
    return {
      problems: dropInProblems(deps),
      node: deps.host.node,
      collectorIds: deps.collectors.map(({ id }) => id),
      bundleId: (nowMs, wish) => bundleId(deps, nowMs, wish),
      collect: ({ request, sink, ...options }) => collectBundle(request, deps, sink, options),
    }
  }
  try {
    const daemon = await startDaemon({ config, problems, log, uid: io.uid, version: VERSION, loadEngine })
    if (!interrupt.signal.aborted) await new Promise((resolve) => interrupt.signal.addEventListener('abort', resolve))
    await daemon.close()
    return EXIT.whole
  } catch (error) {
    log.logger.fatal({ err: error }, `diagd cannot start: ${(error as Error).message}`)
    return EXIT.failed
  }
}
