/** Wires the parts in order, tells systemd, and takes them down in reverse. */
import { chmod } from 'node:fs/promises'
import { buildApp } from './http/app.ts'
import type { AppDeps } from './http/app.ts'
import { tokensFolder } from './http/auth/token-files.ts'
import { createTokenStore } from './http/auth/token-store.ts'
import { listenUnix } from './http/listen.ts'
import { createPlaces, type Places } from './http/places.ts'
import { giveToGroup } from './http/socket-group.ts'
import { openTcpDoor } from './http/tcp-door.ts'
import type { TcpDoor } from './http/tcp-door.ts'
import { formatListen } from './config/listen.ts'
import type { Listen } from './config/listen.ts'
import type { Config, Problem } from './config.ts'
import { deadlineIn } from './deadline.ts'
import type { Log } from './log.ts'
import type { Notifier } from './notify/notifier.ts'
import type { Otlp } from './otlp/exporter.ts'
import { createOwnTelling } from './own-metrics.ts'
import type { Keeping } from './record/keeping.ts'
import type { Measuring } from './record/measuring.ts'
import type { Recording } from './record/recording.ts'
import type { Shipping } from './upload/shipping.ts'

/** A client that takes no byte for so long loses its place. */
const STALL_MS = 60_000
/** What a running bundle gets to finish when the daemon has to go, and systemd to be told so. */
const GRACE_MS = 2000
/** Then its children die and its connection is reset; nobody waits longer for that. */
const ABORT_MS = 3000
/** All of the end: systemd/diagd.service kills what is there after 20 s. */
const CLOSE_MS = 17_000
/** Of that, for what is closed last: the tail of containers has 3 s, then the databases. */
const LAST_MS = 4000
/** How often the recorder is told what does not work. */
const TELL_MS = 60_000

export interface Daemon {
  /** What it cannot do, or does without. */
  readonly problems: readonly Problem[]
  /** Takes no more requests, gives running bundles a moment, and leaves nothing behind; 17 s at most. */
  close(): Promise<void>
}

export interface DaemonInput {
  readonly config: Config
  readonly problems: readonly Problem[]
  readonly log: Log
  readonly notifier: Notifier
  readonly uid: number
  /** The folder of the socket was made for this service alone: then its group may use the socket. */
  readonly ownFolder: boolean
  readonly version: string
  readonly stallMs?: number
  /** Opened once the doors are; undefined where nothing is to be recorded, measured, followed, sent. */
  readonly recording?: Recording | undefined
  readonly measuring?: Measuring | undefined
  readonly keeping?: Keeping | undefined
  readonly otlp?: Otlp | undefined
  /** Makes what sends bundles, of what the daemon has; undefined where nothing is to be sent. */
  readonly shipping?: ((parts: { places: Places; engine: LoadedEngine }) => Shipping) | undefined
  /** Loads the collectors; gets what a bundle tells about the daemon. */
  readonly loadEngine: (facts: {
    startedAtMs: number
    log: () => string
    health: () => unknown
  }) => Promise<LoadedEngine>
}

export interface LoadedEngine extends Pick<
  AppDeps,
  'collect' | 'bundleId' | 'collectorIds' | 'node' | 'bootTimeline' | 'systemInfo' | 'logs' | 'containers'
> {
  readonly problems: readonly Problem[]
}

/** @throws Error when the local door cannot be opened: without it, there is nothing to be there for. */
export async function startDaemon({
  config,
  log,
  notifier,
  uid,
  version,
  stallMs = STALL_MS,
  recording,
  measuring,
  keeping,
  otlp,
  ...input
}: DaemonInput): Promise<Daemon> {
  const { logger } = log
  const startedAtMs = Date.now()
  const problems = [...input.problems]
  const warnings = config.auth === 'none' && config.listen ? [openWarning(formatListen(config.listen))] : []
  const places = createPlaces(config.bundlesAtOnce)
  const tokens = createTokenStore(tokensFolder(config.configDir), uid, (problem) => logger.warn(problem))
  await tokens.all()
  let tcp: TcpDoor | undefined
  let shipping: Shipping | undefined
  const allProblems = () => [
    ...problems,
    ...tokens.problems().map((message) => ({ key: 'tokens.d', message })),
    ...(tcp?.problems() ?? []),
    ...(otlp?.health().problems ?? []).map((message) => ({ key: 'otlp', message })),
  ]
  const withRecorder = () => [
    ...allProblems(),
    ...(recording?.health().problems ?? []).map((message) => ({ key: 'events', message })),
    ...(measuring?.health().problems ?? []).map((message) => ({ key: 'metrics', message })),
    ...(keeping?.health().problems ?? []).map((message) => ({ key: 'containers', message })),
    ...(shipping?.health().problems ?? []).map((message) => ({ key: 'uploads', message })),
  ]
  const allWarnings = () => [...warnings, ...(shipping?.warnings ?? []), ...(tcp?.warnings() ?? [])]
  const health = () => ({
    status: withRecorder().length > 0 ? 'degraded' : 'ok',
    version,
    pid: process.pid,
    uptimeSeconds: Math.floor((Date.now() - startedAtMs) / 1000),
    bundles: { running: places.running, limit: places.limit },
    recorder: factsOf(recording?.health()),
    metrics: factsOf(measuring?.health()),
    containers: factsOf(keeping?.health()),
    ...(otlp ? { otlp: factsOf(otlp.health()) } : {}),
    ...(shipping ? { uploads: factsOf(shipping.health()) } : {}),
    problems: withRecorder(),
    warnings: allWarnings(),
  })
  const engine = await input.loadEngine({ startedAtMs, log: log.newest, health })
  problems.push(...engine.problems)
  shipping = input.shipping?.({ places, engine })

  const closing = new AbortController()
  const doors = { config, tokens, logger, places, health, stallMs, closing: closing.signal }
  const own = createOwnTelling({
    version,
    places,
    recording,
    measuring,
    keeping,
    shipping,
    problems: withRecorder,
    otlp: () => otlp?.health(),
  })
  const app = await buildApp({
    ...engine,
    ...doors,
    ...own,
    events: recording,
    measured: measuring,
    uploads: shipping?.part,
  })
  const local = await listenUnix(app, config.socket, uid)
  if (input.ownFolder) await chmod(config.socket, 0o660)
  await giveToGroup(config.socket, config.socketGroup, uid).catch(
    (error: Error) => void problems.push({ key: 'socketGroup', message: error.message }),
  )
  if (config.listen) tcp = await openTcpDoor(app, { listen: config.listen, tls: config.tls, hosts: config.hosts })
  notifier.serving(() => statusLine(config.socket, tcp?.address(), withRecorder()))

  for (const { key, message } of [...problems, ...(tcp?.problems() ?? [])]) logger.warn({ key }, `${key}: ${message}`)
  for (const warning of allWarnings()) logger.warn(warning)
  const address = tcp?.address()
  logger.info({ version, tcp: address ? formatListen(address) : 'closed', socket: config.socket }, 'diagd listens')
  logger.info(
    `a bundle of this machine: curl -fOJ --unix-socket ${quote(config.socket)} http://localhost/debug-package`,
  )

  const tell = () => recording?.problems(allProblems())
  tell()
  recording?.start()
  measuring?.start()
  keeping?.start()
  otlp?.start()
  shipping?.start()
  const telling = setInterval(tell, TELL_MS).unref()

  const close = async () => {
    clearInterval(telling)
    tell()
    logger.info({ runningBundles: places.running }, 'diagd stops')
    const told = notifier.stopping(places.running > 0 ? `stops; bundles that still run: ${places.running}` : 'stops')
    const end = deadlineIn(CLOSE_MS)
    // What is sent has the time in which requests end as well: the bundle of a shutdown needs all there is.
    const sent = shipping?.close(CLOSE_MS - LAST_MS)
    sent?.catch(() => {})
    const closed = Promise.all([new Promise((resolve) => local.close(resolve)), tcp?.close()])
    await end.wait(places.idle(), GRACE_MS)
    closing.abort(new Error('diagd is shutting down'))
    // Who gets a stream is told that it ends.
    await end.wait(Promise.all([places.idle(), closed]), ABORT_MS)
    for (const server of [local, tcp?.server()]) server?.closeAllConnections()
    await end.wait(closed)
    await end.wait(app.close())
    await end.wait(sent, end.leftMs - LAST_MS)
    await end.wait(otlp?.close(), end.leftMs - LAST_MS)
    await end.wait(keeping?.close())
    await end.wait(Promise.all([recording?.close(), measuring?.close()]))
    await end.wait(told, GRACE_MS)
    logger.info('diagd stopped')
  }
  return { problems: allProblems(), close }
}

/** Without its problems, which stand with all the others. */
function factsOf(health: { readonly problems: readonly string[] } | undefined): object {
  if (!health) return { state: 'off' }
  const { problems: _, ...facts } = health
  return facts
}

function openWarning(address: string): string {
  return `auth is none: everybody who reaches ${address} can download a bundle of this machine`
}

/** What a person wants to see first in `systemctl status`: where it listens, and what is wrong with it. */
function statusLine(socket: string, tcp: Listen | undefined, problems: readonly Problem[]): string {
  const doors = `listens on ${socket} and ${tcp ? formatListen(tcp) : 'no TCP'}`
  const [first] = problems
  if (!first) return doors
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more, see /health)` : ''
  return `${doors}; degraded: ${first.key}: ${first.message}${more}`
}

/** Ready to be pasted into a shell. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
