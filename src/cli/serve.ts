/** `diagd serve`: the daemon, until a signal ends it. */
import { fstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { bundleId } from '../collect/bundle-id.ts'
import { createDeps } from '../collect/deps.ts'
import type { BundleDeps } from '../collect/deps.ts'
import type { LogReader } from '../collect/logs/reader.ts'
import { loadConfig } from '../config/load.ts'
import { startDaemon } from '../daemon.ts'
import type { LoadedEngine } from '../daemon.ts'
import { createLog } from '../log.ts'
import type { LogForm } from '../log.ts'
import { createNotifier } from '../notify/notifier.ts'
import { keptHere } from '../record/kept-here.ts'
import { recordedHere } from '../record/recorded-here.ts'
import { uploadsHere } from '../upload/recorded/uploads-here.ts'
import type { Shipping } from '../upload/shipping.ts'
import { VERSION } from '../version.ts'
import { dropInProblems } from './engine.ts'
import { EXIT } from './io.ts'
import type { Io } from './io.ts'
import { containersPart } from './serve-containers.ts'
import { createExport, createRecorders, createShipper } from './serve-recorders.ts'
import { catchSignals } from './signals.ts'

const STDERR = 2

export async function serve(io: Io): Promise<number> {
  // First of all: as PID 1 of a container the process does not even see a signal that it does not handle.
  const interrupt = catchSignals()
  const { environment, uid } = io
  const { config, problems } = await loadConfig(environment, uid)
  const log = createLog(config.logLevel, io.stderr, logForm(io))
  const notifier = createNotifier({ environment, warn: (message) => log.logger.warn(message) })
  let deps: BundleDeps | undefined
  let shipping: Shipping | undefined
  const recorders = createRecorders(config, () => deps!, log)
  const { recording, measuring, keeping } = recorders
  const loadSystemInfo = lazily(async () => {
    const { createSystemInfo } = await import('../collect/system-info.ts')
    return createSystemInfo(() => deps!)
  })
  const systemInfo = async () => (await loadSystemInfo())()
  const loadEngine = async (facts: Parameters<typeof createDeps>[1]): Promise<LoadedEngine> => {
    const loaded = await createDeps(config, {
      ...facts,
      recorded: recording && recordedHere(recording, config.stateDir),
      measured: measuring?.recorded,
      kept: keeping && keptHere(keeping, config.stateDir, () => deps!.redaction),
      uploads: config.uploads === 'none' ? undefined : uploadsHere(() => shipping!.part.uploads, config.stateDir),
    })
    deps = loaded
    return {
      problems: dropInProblems(loaded),
      node: loaded.host.node,
      collectorIds: loaded.collectors.map(({ id }) => id),
      bundleId: (nowMs, wish) => bundleId(loaded, nowMs, wish),
      bootTimeline: async (wish, signal) => {
        const { bootTimelineText } = await import('../collect/boot-timeline.ts')
        return bootTimelineText(loaded, wish, signal)
      },
      systemInfo,
      logs: logReader(loaded),
      containers: keeping && containersPart(keeping, loaded),
      async collect({ request, sink, ...options }) {
        const { collectBundle } = await import('../collect/bundle.ts')
        return collectBundle(request, loaded, sink, options)
      },
    }
  }
  const ownFolder = environment.RUNTIME_DIRECTORY?.split(':').includes(dirname(config.socket)) ?? false
  try {
    const facts = { config, problems, log, notifier, uid, ownFolder, version: VERSION }
    const otlp = await createExport({ ...recorders, config, deps: () => deps!, systemInfo, log })
    const openShipping = await createShipper({ ...recorders, config, environment, deps: () => deps!, log })
    const daemon = await startDaemon({
      ...facts,
      ...recorders,
      loadEngine,
      otlp,
      shipping: openShipping && ((given) => (shipping = openShipping(given))),
    })
    if (!interrupt.signal.aborted) await new Promise((resolve) => interrupt.signal.addEventListener('abort', resolve))
    await daemon.close()
    return EXIT.whole
  } catch (error) {
    const reason = `diagd cannot start: ${(error as Error).message}`
    log.logger.fatal(isWorded(error) ? {} : { err: error }, reason)
    await notifier.failed(reason)
    return EXIT.failed
  }
}

/** What is asked for days after the start, or never, takes neither time then nor memory until then. */
function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => (loaded ??= load())
}

function logReader(deps: BundleDeps): LogReader {
  const reader = lazily(async () => {
    const { createLogReader } = await import('../collect/logs/reader.ts')
    return createLogReader(deps)
  })
  return {
    page: async (wish, signal) => (await reader()).page(wish, signal),
    async *follow(wish, signal) {
      yield* (await reader()).follow(wish, signal)
    },
  }
}

/** What was thrown for people to read, or comes from the system, says it all; anything else is a mistake of ours. */
function isWorded(error: unknown): boolean {
  return error instanceof Error && (error.constructor === Error || 'code' in error)
}

function logForm({ environment, stderr }: Pick<Io, 'environment' | 'stderr'>): LogForm {
  if (stderr.isTTY) return 'terminal'
  return isJournal(environment.JOURNAL_STREAM) ? 'journal' : 'json'
}

/** systemd names device and inode of what it connected to the journal; stderr may have been redirected since. */
function isJournal(stream: string | undefined): boolean {
  if (!stream) return false
  const { dev, ino } = fstatSync(STDERR, { bigint: true })
  return stream === `${dev}:${ino}`
}
