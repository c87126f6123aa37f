/** Follows one engine while it is there: what it tells, what containers it has, and the log of each. */
import { setTimeout as delay } from 'node:timers/promises'
import { SourceError, type SourceContext } from '../../../sources/source.ts'
import type { FoundEngine } from '../../../sources/engines.ts'
import { followEngine, type Following } from '../../../sources/engine-follow.ts'
import { getJson } from '../../../sources/unix-http.ts'
import type { ContainerFacts } from '../container.ts'
import { FollowedContainer, type ContainerOptions } from './container.ts'
import { parseEvent, type ParsedEvent } from './engine-event.ts'
import type { EngineGate } from './gate.ts'
import { Lines } from './lines.ts'
import { cursorAt, endEvent, isTold, mayBeMissed, TELLS_WITHIN_MS, type MissedSince } from './missed-ends.ts'
import { eventsOf } from './past-events.ts'
import { factsOfListed, type Inspected, type Listed } from './facts.ts'

export interface EngineOptions extends Pick<
  ContainerOptions,
  'thread' | 'folder' | 'learn' | 'use' | 'outOfMemory' | 'tell'
> {
  readonly engine: FoundEngine
  readonly ctx: SourceContext
  readonly gate: EngineGate
  /** An engine that does not answer so long hangs; and how often it is asked whether it does. */
  readonly answerMs: number
  readonly pingMs: number
  /** Events from then on were not seen yet: `since` of the API. */
  readonly since: string | undefined
  /** What is told already is known: then ends are told that the engine does not tell of any more. */
  readonly tellsMissed: boolean
  readonly bootStartMs: number
  /** What is kept of containers that it had when it was seen last. */
  readonly known: Map<string, ContainerFacts>
  readonly heard: (event: ParsedEvent) => void
  /** It answers, and its containers are followed. */
  readonly following: () => void
  /** It takes questions and does not answer them; undefined: it does again. */
  readonly hung: (reason: string | undefined) => void
}

/** Inspected side by side: an engine that starts has other things to do. */
const AT_ONCE = 4
/** More than a node has. Its events name them all. */
const MOST_CONTAINERS = 2000
/** Events wait until it is known which came before them; an engine that has more to tell meanwhile is not waited for. */
const MOST_HELD = 5000

interface Held {
  readonly events: ParsedEvent[]
  readonly since: MissedSince & { readonly wasRunning: Set<string> }
}

export class EngineFollower {
  readonly #options: EngineOptions
  readonly #containers = new Map<string, FollowedContainer>()
  readonly #closed = Promise.withResolvers<string>()
  /** Counts the connections. */
  #turn = 0
  #events: Following | undefined
  #since: string | undefined
  /** What it told since then, until the ends before that are told. */
  #held: Held | undefined
  #isFirst: boolean

  constructor(options: EngineOptions) {
    this.#options = options
    this.#since = options.since
    this.#isFirst = options.since === undefined
  }

  get #socket(): string {
    const { ctx, engine } = this.#options
    return ctx.root + engine.socket
  }

  get containers(): number {
    return this.#containers.size
  }

  container(id: string): FollowedContainer | undefined {
    return this.#containers.get(id)
  }

  /** By their ids. */
  names(): [id: string, name: string][] {
    const facts = Array.from(this.#containers.values(), (container) => container.facts)
    return facts.filter(({ state }) => state !== 'removed').map(({ id, name }) => [id, name])
  }

  /** Resolves when the engine is gone, with what it said; rejects with a SourceError when it does not answer, or may not be asked. */
  async run(): Promise<string> {
    try {
      await ping(this.#ask)
      this.#hold()
      const ended = this.#followEvents()
      // What happens from now on is told; what is there is asked for.
      await this.#sync()
      this.#options.following()
      this.#tellEnds().catch(nothing)
      return await Promise.race([ended, this.#watch(), this.#closed.promise])
    } finally {
      this.#stop()
    }
  }

  close(): void {
    this.#closed.resolve('diagd ends')
    this.#stop()
  }

  #stop(): void {
    this.#turn += 1
    this.#events?.close()
    this.#events = undefined
    for (const container of this.#containers.values()) container.stop()
  }

  /** Resolves when they end. */
  #followEvents(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const { gate } = this.#options
    const from = this.#since
    const lines = new Lines((line) => this.#heard(line, from))
    this.#events = followEngine(this.#socket, `/events${from === undefined ? '' : `?since=${from}`}`, {
      open: () => {},
      bytes(bytes, length) {
        gate.sure()
        lines.push(bytes.subarray(0, length))
        return true
      },
      end: ({ refused, reason }) => {
        gate.ended()
        resolve(refused ? `/events: ${refused.status} ${refused.message}` : (reason ?? 'it ended'))
      },
    })
    return promise
  }

  #heard(line: string, from: string | undefined): void {
    const event = parseEvent(line)
    // `since` is inclusive.
    if (!event || (from !== undefined && event.cursor === from)) return
    this.#since = event.cursor
    if (event.about === 'container') this.#toContainer(event)
    const held = this.#held?.events
    if (held && held.length < MOST_HELD) held.push(event)
    else this.#options.heard(event)
  }

  /** What is told from now on is behind what ended before, which is not known yet. Goes on with what a connection before did not come to. */
  #hold(): void {
    const { tellsMissed, bootStartMs } = this.#options
    this.#since ??= cursorAt(Date.now())
    if (!tellsMissed) return
    const since = { cursor: this.#since, isFirst: this.#isFirst, bootStartMs, wasRunning: new Set<string>() }
    this.#held ??= { events: [], since }
  }

  /** Tells of ends that the engine does not tell of any more, and what waits behind them. Rejects when the engine is gone: then the next connection does. */
  async #tellEnds(): Promise<void> {
    const turn = this.#turn
    const held = this.#held
    if (!held) return
    const { events, since } = held
    const ends: ParsedEvent[] = []
    for (const container of this.#containers.values()) {
      if (mayBeMissed(container.facts, since) && !(await this.#isTold(container, held)))
        ends.push(endEvent(container.facts, since))
    }
    if (turn !== this.#turn) return
    this.#held = undefined
    this.#isFirst = false
    const inOrder = [...ends, ...events].toSorted((a, b) => (a.cursor < b.cursor ? -1 : Number(a.cursor > b.cursor)))
    for (const event of inOrder) this.#options.heard(event)
  }

  async #isTold(container: FollowedContainer, { events, since }: Held): Promise<boolean> {
    const { gate, answerMs, ctx } = this.#options
    for (;;) {
      const { facts } = container
      if (isTold(facts, events, since)) return true
      await gate.pass()
      const remembered = await eventsOf(facts, this.#socket, answerMs)
      // An engine that does not say is believed to tell.
      const told = remembered ? isTold(facts, remembered, since) : true
      if (told !== undefined) return told
      const leftMs = (facts.finishedMs ?? 0) + TELLS_WITHIN_MS - Date.now()
      // A clock that was set back is not waited for.
      if (leftMs <= 0 || leftMs > TELLS_WITHIN_MS) return false
      await delay(leftMs, undefined, { signal: ctx.signal, ref: false })
    }
  }

  #toContainer(event: ParsedEvent): void {
    const { id, action, attributes, timeMs } = event
    let container = this.#containers.get(id)
    if (!container && (action === 'create' || action === 'start')) {
      const { name = id.slice(0, 12), image = '' } = attributes
      const { label } = this.#options.engine
      const isNew = !this.#options.known.has(id)
      container = this.#add({ id, name, image, engine: label, state: 'created', createdMs: timeMs }, isNew)
      if (action === 'create') container?.inspect().catch(nothing)
    }
    container?.heard(event)
  }

  #add(facts: ContainerFacts, isNew: boolean): FollowedContainer | undefined {
    if (this.#containers.size >= MOST_CONTAINERS) return undefined
    const { engine, gate, thread, folder, learn, use, outOfMemory, tell } = this.#options
    const container = new FollowedContainer(facts, {
      thread,
      gate,
      folder,
      learn,
      use,
      outOfMemory,
      tell,
      socket: this.#socket,
      isPodman: engine.kind === 'podman',
      isNew,
      inspect: (id) => this.#inspect(id),
      gone: (id) => void this.#containers.delete(id),
    })
    this.#containers.set(facts.id, container)
    return container
  }

  async #inspect(id: string): Promise<Inspected | undefined> {
    try {
      return (await this.#ask(`/containers/${id}/json`)) as Inspected
    } catch (error) {
      if (/ answered 404: /.test((error as Error).message)) return undefined
      throw error
    }
  }

  /** What is there, and what is not any more. */
  async #sync(): Promise<void> {
    const { engine, known } = this.#options
    const listed = ((await this.#ask('/containers/json?all=1')) as Listed[]).slice(0, MOST_CONTAINERS)
    const there = new Set(listed.map(({ Id }) => Id))
    for (const one of listed) {
      const kept = known.get(one.Id)
      const { state } = this.#containers.get(one.Id)?.facts ?? kept ?? {}
      if (state === 'running' || state === 'paused') this.#held?.since.wasRunning.add(one.Id)
      const facts = factsOfListed(one, engine.label)
      if (!this.#containers.has(one.Id)) this.#add(kept ? { ...kept, ...facts } : facts, !kept)
    }
    for (const [id, facts] of known) if (!there.has(id) && !this.#containers.has(id)) this.#add(facts, false)
    known.clear()
    const containers = [...this.#containers.values()]
    // All secrets first: what one container is told, another may repeat.
    await atOnce(AT_ONCE, containers, (container) => container.inspect().catch(nothing))
    for (const container of containers) {
      if (there.has(container.facts.id)) container.follow()
      else container.removed()
    }
  }

  /** Resolves when the engine is gone. */
  async #watch(): Promise<string> {
    const turn = this.#turn
    let hangs = false
    for (;;) {
      await delay(this.#options.pingMs, undefined, { ref: false })
      if (turn !== this.#turn) return 'it is not followed any more'
      try {
        await ping(this.#ask)
        if (hangs) this.#options.hung(undefined)
        hangs = false
        for (const container of this.#containers.values()) container.settle()
      } catch (error) {
        if (turn !== this.#turn) return 'it is not followed any more'
        if (!(error instanceof SourceError) || error.outcome !== 'timeout') return (error as Error).message
        if (!hangs) this.#options.hung(error.message)
        hangs = true
      }
    }
  }

  readonly #ask = async (path: string): Promise<unknown> => {
    const { engine, ctx, gate, answerMs } = this.#options
    await gate.pass()
    const limits = { entryBytes: Infinity, headBytes: 0, commandMs: answerMs, stallMs: answerMs }
    const answer = await getJson({ socket: engine.socket, path }, { ...ctx, limits })
    gate.sure()
    return answer
  }
}

/** Its own words are not asked for: that it answers is enough. */
async function ping(ask: (path: string) => Promise<unknown>): Promise<void> {
  await ask('/version')
}

async function atOnce<T>(count: number, all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all]
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: count }, next))
}

/** Whoever follows the engine sees that it does not answer. */
const nothing = (): void => {}
