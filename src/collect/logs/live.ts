/** The sources that are followed now: containers come and go, engines too, and what broke off is taken up again where it ended. */
import { setTimeout as delay } from 'node:timers/promises'
import type { FoundEngine } from '../../sources/engines.ts'
import { keyOf } from '../../sources/logs/container-lines.ts'
import type { LogContext, LogSource, LogSpan } from '../../sources/logs/line.ts'
import { openAnswer } from '../../sources/unix-http.ts'
import { problemOf, type FindSources, type LogProblem } from './find-sources.ts'
import type { FoundContainer } from './found-containers.ts'
import type { Inbox } from './inbox.ts'
import { maskedProblem, type LogMasks } from './mask.ts'
import { maskedLines } from './masked.ts'
import type { KeptContainer } from './kept.ts'
import type { LogFilter } from './wish.ts'

export interface LiveOptions {
  readonly wish: LogFilter
  readonly find: FindSources
  readonly masks: LogMasks
  readonly ctx: LogContext
  readonly inbox: Inbox
  /** What a container that was removed since then wrote, may not have been read. */
  readonly beganMs: number
  /** Where a source goes on. */
  readonly from: (source: LogSource) => LogSpan
}

/** How often containers are looked for, where no engine says that one has started. */
const LOOK_MS = 5000
/** One that starts container after container is not asked more often; one that removes them at once leaves no time. */
const SOON_MS = 20
/** Longer than that nothing is on its way. */
const LATE_MS = 60_000
/** Of an event there are some hundred letters, labels and all. */
const EVENT_LETTERS = 64 * 1024

export class Live {
  readonly #options: LiveOptions
  readonly #followed = new Set<string>()
  readonly #listened = new Set<string>()
  readonly #said = new Set<string>()
  /** What was read last: it may not have been taken yet. */
  readonly #last = new Map<string, string>()
  /** Containers that have started, or were removed, since they were looked for: they may have ended by now. */
  readonly #started = new Set<string>()
  /** Removed ones, read to their end. */
  readonly #done = new Set<string>()
  #containers: readonly string[] = []
  #wake = Promise.withResolvers<void>()

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** Resolves when the sources that are there are followed; they, and the looking for others, end with the signal. */
  async start(): Promise<void> {
    await this.#look()
    if (this.#options.wish.kinds.includes('container')) void this.#lookAgain()
  }

  async #lookAgain(): Promise<void> {
    const { signal } = this.#options.ctx
    while (!signal.aborted) {
      const waiting = new AbortController()
      const either = { signal: AbortSignal.any([signal, waiting.signal]) }
      await Promise.race([this.#wake.promise, delay(LOOK_MS, undefined, either).catch(() => {})])
      waiting.abort()
      await delay(SOON_MS, undefined, { signal }).catch(() => {})
      this.#wake = Promise.withResolvers()
      if (!signal.aborted) await this.#look().catch((error: unknown) => this.#say(problemOf('containers', error)))
    }
  }

  async #look(): Promise<void> {
    const { wish, find, ctx, masks } = this.#options
    const started = new Set(this.#started)
    const removed = new Map<string, FoundContainer>()
    const found = await find(wish, ctx, (container) => {
      if (container.kept === undefined) return container.running || started.has(container.id)
      if (!this.#hasLastWords(container.kept)) return false
      removed.set(keyOf(container.id), container)
      return true
    })
    for (const id of started) this.#started.delete(id)
    for (const problem of found.problems) this.#say(problem)
    for (const engine of found.engines) void this.#listen(engine)
    // The secrets of a container that is new have to be known before its first line.
    await masks.current(found.containers)
    this.#containers = found.containers
    for (const source of found.sources) {
      if (this.#followed.has(source.key)) continue
      this.#followed.add(source.key)
      const gone = removed.get(source.key)
      void this.#follow(source).then(() => gone && this.#remove(source, gone))
    }
  }

  /** What is kept of one that was removed while it was followed, or came and went meanwhile, has its end. One whose engine is away is waited for. */
  #hasLastWords({ id, state, removedMs = 0 }: KeptContainer): boolean {
    if (state !== 'removed' || this.#done.has(id)) return false
    return this.#last.has(keyOf(id)) || removedMs >= this.#options.beganMs
  }

  /** What the engine handed out last may still be on its way to where it is kept. */
  #remove({ key }: LogSource, { id, kept }: FoundContainer): void {
    const { logComplete, removedMs = 0 } = kept!
    if (!logComplete && Date.now() - removedMs < LATE_MS) return
    this.#done.add(id)
    if (this.#done.size > MOST_REMEMBERED) this.#done.delete(this.#done.values().next().value!)
    this.#last.delete(key)
  }

  async #follow(source: LogSource): Promise<void> {
    const { ctx, inbox, masks, from } = this.#options
    try {
      const after = this.#last.get(source.key)
      const batches = source.follow({ ...from(source), ...(after !== undefined && { after }) }, ctx)
      const lines = maskedLines(batches, 'forward', () => masks.current(this.#containers))
      let step = await lines.next()
      for (; !step.done; step = await lines.next()) {
        this.#remember(source, step.value.at(-1)!.place)
        await inbox.put(source, step.value)
      }
      if (step.value) this.#say({ source: source.name, message: step.value })
    } catch (error) {
      this.#say(problemOf(source.name, error))
    }
    // Of a container, the engine may have more when it runs again.
    if (source.kind === 'container') this.#followed.delete(source.key)
  }

  #remember({ key }: LogSource, place: string): void {
    this.#last.delete(key)
    this.#last.set(key, place)
    if (this.#last.size > MOST_REMEMBERED) this.#last.delete(this.#last.keys().next().value!)
  }

  /** A word of the engine about a container that starts, or is removed, is a reason to look. */
  async #listen({ socket }: FoundEngine): Promise<void> {
    if (this.#listened.has(socket)) return
    this.#listened.add(socket)
    const filters = JSON.stringify({ type: ['container'], event: ['start', 'destroy'] })
    const path = `/events?filters=${encodeURIComponent(filters)}`
    try {
      const answer = await openAnswer({ socket, path, stream: true, timeoutMs: Infinity }, this.#options.ctx)
      let text = ''
      for await (const chunk of answer.chunks) {
        text = (text + chunk.toString('latin1')).slice(-EVENT_LETTERS)
        for (const [, id] of text.matchAll(/"id":"([0-9a-f]{64})"/g)) this.#started.add(id!)
        // Each is told on a line of its own.
        text = text.slice(text.lastIndexOf('\n') + 1)
        this.#wake.resolve()
      }
    } catch {
      // Then it is looked for every few seconds.
    }
    this.#listened.delete(socket)
  }

  /** Once each: what is missing goes on missing. */
  #say(problem: LogProblem): void {
    const { ctx, inbox, masks } = this.#options
    const key = `${problem.source} ${problem.message}`
    if (ctx.signal.aborted || this.#said.has(key) || this.#said.size >= MOST_SAID) return
    this.#said.add(key)
    const mask = async () => {
      inbox.problem(await maskedProblem(problem, await masks.current(this.#containers)))
    }
    void mask().catch(() => {})
  }
}

const MOST_SAID = 1000
/** Containers come and go as long as somebody follows. */
const MOST_REMEMBERED = 1000
