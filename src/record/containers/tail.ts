/** Follows all engines, those that are there and those that come, and keeps what their containers say: see container.ts. */
import { watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { engineListens } from '../../sources/engine-held.ts'
import { findEngines, type FoundEngine } from '../../sources/engines.ts'
import { SourceError, type SourceContext } from '../../sources/source.ts'
import { ownType, type OwnEventType } from '../classify/own.ts'
import type { NewEvent } from '../events/event.ts'
import type { FollowSink } from '../events/follow-writer.ts'
import { startOfThisBootMs, UNKNOWN_BOOT } from '../recorder/boots.ts'
import type { ContainerTail, ContainerUse, EngineState, TailHealth } from './container.ts'
import { documentOf } from './follow/container.ts'
import { EngineFollower } from './follow/engine.ts'
import { eventOf, type ParsedEvent } from './follow/engine-event.ts'
import { EngineGate } from './follow/gate.ts'
import { Names } from './follow/names.ts'
import { OutOfMemory } from './follow/out-of-memory.ts'
import { Outbox } from './follow/outbox.ts'
import { Secrets, type SecretsDeps } from './follow/secrets.ts'
import { FLOOD_LIMITS, type FloodLimits } from './frames/flood.ts'
import { containersFolder, factsIn, keptFacts, subfolders } from './kept.ts'
import { LogThread } from './thread/log-thread.ts'

export interface ContainerTailOptions {
  readonly stateDir: string
  readonly sink: FollowSink
  /** A moment of this boot, for what the tail itself has to tell. */
  readonly now: () => Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>
  readonly redaction: SecretsDeps
  /** Sockets that the configuration or DOCKER_HOST name. */
  readonly engines: readonly string[]
  /** Before the paths of the host; '' but in tests. */
  readonly root: string
  /** The last that was measured of a container, by its id. */
  readonly use?: ((id: string) => ContainerUse | undefined) | undefined
  /** What containers are called, by their ids: told when that changes. */
  readonly named?: ((names: ReadonlyMap<string, string>) => void) | undefined
  readonly limits?: Partial<TailLimits>
}

interface TailLimits {
  /** Of one log, and of all containers, compressed. */
  readonly maxLogBytes: number
  readonly maxBytes: number
  /** Containers that are gone. */
  readonly maxRemoved: number
  readonly flood: FloodLimits
  /** How often engines are looked for, if nothing tells that there might be one. */
  readonly lookMs: number
  /** An engine that does not answer so long hangs; and how often it is asked whether it does. */
  readonly answerMs: number
  readonly pingMs: number
  /** After so long without anything to write, its thread ends. */
  readonly idleMs: number
}

const LIMITS: TailLimits = {
  maxLogBytes: 16 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
  maxRemoved: 1000,
  flood: FLOOD_LIMITS,
  lookMs: 10_000,
  answerMs: 15_000,
  pingMs: 30_000,
  idleMs: 60_000,
}
/** What is made in /run when an engine starts comes in dozens. */
const LOOK_AFTER_MS = 300
const RETRY_MS = { first: 500, most: 60_000 }
/** After so long an engine was well. */
const GOOD_MS = 60_000
/** An engine that closed its socket is not asked for so long, where it cannot be told whether it is being stopped. */
const STOPPING_MS = 15_000

/** Starts at once, in the background. */
export function followContainers(options: ContainerTailOptions): ContainerTail {
  return new Tail(options)
}

interface Engine {
  readonly socket: string
  label: string | undefined
  state: EngineState
  sinceMs: number
  problem: string | undefined
  follower: EngineFollower | undefined
  running: Promise<void> | undefined
  notBeforeMs: number
  retryMs: number
  lostAtMs: number
}

class Tail implements ContainerTail {
  readonly #options: ContainerTailOptions
  readonly #limits: TailLimits
  readonly #outbox: Outbox
  readonly #thread: LogThread
  readonly #secrets: Secrets
  readonly #closing = new AbortController()
  /** By socket. */
  readonly #engines = new Map<string, Engine>()
  readonly #names: Names
  readonly #outOfMemory = new OutOfMemory()
  readonly #total = { lines: 0, flood: 0, withheld: 0, ambiguous: 0, cap: 0 }
  readonly #ctx: SourceContext
  readonly #running: Promise<void>
  readonly #watchers: FSWatcher[] = []
  #poke: () => void = () => {}
  readonly #bootStartMs = startOfThisBootMs()
  #keptBytes = 0
  #disk: string | undefined
  #mask: string | undefined
  #broke: string | undefined

  constructor(options: ContainerTailOptions) {
    const limits = { ...LIMITS, ...options.limits }
    const folder = containersFolder(options.stateDir)
    this.#options = options
    this.#limits = limits
    this.#outbox = new Outbox(options.sink)
    this.#thread = new LogThread(
      { folder, ...limits },
      {
        counted: ({ lines, flood, withheld, ambiguous, cap }) => {
          this.#total.lines += lines
          this.#total.flood += flood
          this.#total.cap += cap
          this.#total.withheld += withheld
          this.#total.ambiguous += ambiguous
        },
        kept: (keptBytes, forgotten, cap) => this.#kept(keptBytes, forgotten, cap),
        disk: (problem) => {
          this.#disk = problem
        },
        broke: (reason) => {
          this.#broke = `${new Date().toISOString()}: ${reason}`
        },
      },
    )
    this.#secrets = new Secrets(folder, options.redaction, (mask) => this.#thread.setMask(mask))
    this.#names = new Names(
      () => [...this.#engines.values()].flatMap(({ follower }) => follower?.names() ?? []),
      (names) => options.named?.(names),
    )
    this.#ctx = {
      signal: this.#closing.signal,
      root: options.root,
      path: '',
      timeZone: 'UTC',
      intervals: async () => [],
      dbus: { dead: false },
    }
    this.#running = this.#run()
  }

  async flush(): Promise<void> {
    await this.#thread.flush()
  }

  heard(events: readonly NewEvent[]): void {
    if (this.#closing.signal.aborted) return
    const gone: string[] = []
    for (const id of this.#outOfMemory.heard(events)) {
      const followed = [...this.#engines.values()].map(({ follower }) => follower?.container(id)).find(Boolean)
      if (followed) followed.ranOutOfMemory()
      else gone.push(id)
    }
    // What is not followed yet asks when it is; where the disk does not take it, nobody is told anything wrong.
    if (gone.length > 0) this.#ranOutOfMemory(gone).catch(() => {})
  }

  /** Containers that were removed meanwhile. */
  async #ranOutOfMemory(ids: readonly string[]): Promise<void> {
    const folder = containersFolder(this.#options.stateDir)
    // Their last words may be on their way to the disk.
    await this.#thread.flush()
    for (const engine of await subfolders(folder)) {
      for (const id of ids) {
        const own = join(folder, engine, id)
        const facts = await factsIn(own)
        if (facts?.state !== 'removed' || facts.oomKilled || !this.#outOfMemory.inRun(id, facts.startedMs)) continue
        await this.#thread.document(own, 'state.json', documentOf({ ...facts, oomKilled: true }))
      }
    }
  }

  health(): TailHealth {
    const { lines, flood, withheld, ambiguous, cap } = this.#total
    const engines = [...this.#engines.values()]
    return {
      engines: engines.map(healthOf),
      lines,
      dropped: { flood, withheld, cap },
      ambiguous,
      droppedEvents: this.#outbox.dropped,
      keptBytes: this.#keptBytes,
      problems: [
        ...said('Nothing of containers is kept', this.#mask),
        ...said('The disk does not take the logs of containers', this.#disk),
        ...said('The logs of containers were interrupted', this.#broke),
        ...said('Events of containers wait to be stored', this.#outbox.problem),
        ...engines.flatMap(({ state, socket, problem }) =>
          state === 'hung' || state === 'lost' ? said(socket, problem) : [],
        ),
      ],
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('diagd ends'))
    for (const watcher of this.#watchers) watcher.close()
    this.#names.close()
    this.#poke()
    for (const { follower } of this.#engines.values()) follower?.close()
    await this.#running
    await this.#thread.close()
    await this.#outbox.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    await this.#outbox.open()
    this.#watch()
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        if (!signal.aborted) this.#mask = (error as Error).message
      }
      await this.#pause()
    }
    await Promise.all([...this.#engines.values()].map((engine) => engine.running ?? Promise.resolve()))
  }

  /** Until something may have changed. */
  #pause(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const now = performance.now()
    const due = [...this.#engines.values()].map(({ notBeforeMs }) => notBeforeMs).filter((ms) => ms > now)
    const timer = setTimeout(resolve, Math.min(this.#limits.lookMs, ...due.map((ms) => ms - now))).unref()
    this.#poke = resolve
    return promise.finally(() => clearTimeout(timer))
  }

  /** An engine makes its socket, or its file of the process id, below /run: in images of little, /var/run is another folder. */
  #watch(): void {
    let soon: NodeJS.Timeout | undefined
    const changed = () => {
      soon ??= setTimeout(() => {
        soon = undefined
        this.#poke()
      }, LOOK_AFTER_MS).unref()
    }
    for (const folder of ['/run', '/var/run']) {
      try {
        const watcher = watch(join(this.#options.root, folder), changed)
        watcher.on('error', () => watcher.close())
        watcher.unref()
        this.#watchers.push(watcher)
      } catch {
        // Then it is looked for every few seconds only.
      }
    }
  }

  async #look(): Promise<void> {
    const { present, absent } = await findEngines(this.#ctx, { configured: this.#options.engines })
    for (const { socket, reason } of absent) {
      const engine = this.#engine(socket)
      if (!engine.running) this.#become(engine, 'waiting', reason)
    }
    for (const found of present) {
      const engine = this.#engine(found.socket)
      if (engine.running || performance.now() < engine.notBeforeMs) continue
      const holder = await this.#holder(found, engine)
      if (holder !== undefined) this.#become(engine, 'waiting', holder)
      else engine.running = this.#follow(found, engine).catch(() => {})
    }
    const there = new Set([...present, ...absent].map(({ socket }) => socket))
    for (const [socket, engine] of this.#engines) {
      if (!engine.running && !there.has(socket)) this.#become(engine, 'waiting', `${socket} does not exist`)
    }
  }

  #engine(socket: string): Engine {
    const known = this.#engines.get(socket)
    if (known) return known
    const engine: Engine = {
      socket,
      label: undefined,
      state: 'connecting',
      sinceMs: Date.now(),
      problem: undefined,
      follower: undefined,
      running: undefined,
      notBeforeMs: 0,
      retryMs: RETRY_MS.first,
      lostAtMs: -Infinity,
    }
    this.#engines.set(socket, engine)
    return engine
  }

  /** Why it must not be asked now though its engine runs; undefined: it may. */
  async #holder({ socket, label }: FoundEngine, { lostAtMs }: Engine): Promise<string | undefined> {
    if (isNamed(label)) return undefined
    const listens = await engineListens(this.#ctx, socket)
    if (listens === false) return 'nobody but systemd listens on it: the engine is starting, or being stopped'
    const sinceMs = performance.now() - lostAtMs
    if (listens === undefined && sinceMs < STOPPING_MS) return 'it closed its connections: perhaps it is being stopped'
    return undefined
  }

  async #follow(found: FoundEngine, engine: Engine): Promise<void> {
    const { label } = found
    const beganAtMs = performance.now()
    engine.label = label
    try {
      await this.#secrets.refresh()
      this.#mask = undefined
    } catch (error) {
      this.#mask = (error as Error).message
      this.#later(engine)
      return
    }
    if (engine.state === 'waiting') this.#become(engine, 'connecting')
    const follower = (engine.follower ??= await this.#follower(found, engine))
    const { state, reason } = await follower.run().then(
      (ended) => ({ state: 'lost' as const, reason: ended }),
      (error: Error) => ({ state: isLate(error) ? ('hung' as const) : ('lost' as const), reason: error.message }),
    )
    if (this.#closing.signal.aborted) return
    if (performance.now() - beganAtMs > GOOD_MS) engine.retryMs = RETRY_MS.first
    engine.lostAtMs = performance.now()
    this.#become(engine, state, reason)
    this.#later(engine)
  }

  #later(engine: Engine): void {
    engine.running = undefined
    engine.notBeforeMs = performance.now() + engine.retryMs
    engine.retryMs = Math.min(engine.retryMs * 2, RETRY_MS.most)
    this.#poke()
  }

  async #follower(found: FoundEngine, engine: Engine): Promise<EngineFollower> {
    const { label } = found
    const folder = join(containersFolder(this.#options.stateDir), label)
    const known = await keptFacts(folder)
    for (const [id, { state }] of known) if (state === 'removed') known.delete(id)
    return new EngineFollower({
      engine: found,
      ctx: this.#ctx,
      answerMs: this.#limits.answerMs,
      pingMs: this.#limits.pingMs,
      gate: new EngineGate(this.#ctx, found.socket, isNamed(label)),
      thread: this.#thread,
      folder,
      known,
      since: this.#outbox.placeOf(label),
      tellsMissed: this.#outbox.isKnown,
      bootStartMs: this.#bootStartMs,
      use: this.#options.use,
      outOfMemory: this.#outOfMemory,
      learn: (document) => this.#secrets.learn(document),
      tell: (type, message, { name, id, image }) =>
        this.#tell(type, name, `container ${name} (${id.slice(0, 12)}): ${message}`, { engine: label, id, image }),
      heard: (event) => this.#heard(event, label),
      following: () => this.#following(engine),
      hung: (reason) => this.#become(engine, reason === undefined ? 'following' : 'hung', reason),
    })
  }

  #following(engine: Engine): void {
    this.#become(engine, 'following')
    const isPending = [...this.#engines.values()].some(({ state }) => state === 'connecting' || state === 'hung')
    if (!isPending) void this.#secrets.settle()
  }

  #heard(event: ParsedEvent, engine: string): void {
    if (event.about === 'container') this.#names.look()
    // Of a boot before there is no telling which: podman remembers them, and Docker does not.
    const bootId = event.timeMs >= this.#bootStartMs - 1000 ? this.#options.now().bootId : UNKNOWN_BOOT
    this.#outbox.add(eventOf(event, engine, bootId), { engine, cursor: event.cursor })
  }

  #become(engine: Engine, state: EngineState, problem?: string): void {
    if (engine.state === state && engine.problem === problem) return
    engine.state = state
    engine.sinceMs = Date.now()
    engine.problem = problem
    const { label, socket } = engine
    const name = label ?? socket
    const detail = { socket, ...(label === undefined ? {} : { engine: label }) }
    if (state === 'following') this.#names.look()
    if (state === 'following')
      this.#tell('engine.followed', name, `the engine ${name} on ${socket} is followed`, detail)
    if (state === 'waiting') this.#tell('engine.waiting', socket, `${socket}: ${problem}`, detail)
    if (state === 'hung') this.#tell('engine.hung', name, `the engine ${name} does not answer: ${problem}`, detail)
    if (state === 'lost') this.#tell('engine.lost', name, `the engine ${name} is lost: ${problem}`, detail)
  }

  #kept(keptBytes: number, forgotten: number, cap: number): void {
    this.#total.cap += cap
    this.#keptBytes = keptBytes
    if (forgotten === 0) return
    const message = `${forgotten} containers that are gone are not kept any more: more than ${this.#limits.maxRemoved} are`
    this.#tell('containers.forgotten', '', message, { containers: forgotten })
  }

  #tell(name: OwnEventType, subject: string, message: string, detail: Record<string, unknown>): void {
    this.#outbox.add({ ...this.#options.now(), ...ownType(name), subject, message, detail })
  }
}

const isLate = (error: Error) => error instanceof SourceError && error.outcome === 'timeout'

/** The configuration says to use it. */
const isNamed = (label: string) => /^(?:configured|docker-host)/.test(label)

function healthOf({ label, socket, state, sinceMs, problem, follower }: Engine): TailHealth['engines'][number] {
  const containers = follower?.containers ?? 0
  return Object.assign(
    { socket, state, sinceMs, containers },
    label !== undefined && { label },
    problem !== undefined && { problem },
  )
}

function said(what: string, problem: string | undefined): string[] {
  return problem === undefined ? [] : [`${what}: ${problem}`]
}
