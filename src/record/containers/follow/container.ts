/** One container, from its first sight to the last word of its log. */
import { join } from 'node:path'
import type { ContainerFacts, ContainerUse, DocumentName } from '../container.ts'
import type { OwnEventType } from '../../classify/own.ts'
import type { Counted } from '../thread/protocol.ts'
import type { LogThread } from '../thread/log-thread.ts'
import type { ParsedEvent } from './engine-event.ts'
import type { EngineGate } from './gate.ts'
import { signalSent, withEvent, withInspected, type Inspected } from './facts.ts'
import { LogFollower } from './log-follower.ts'
import type { OutOfMemory } from './out-of-memory.ts'

type LogEventType = Extract<OwnEventType, `container.log-${string}`>

export interface ContainerOptions {
  readonly thread: LogThread
  /** `<state>/containers/<engine label>`. */
  readonly folder: string
  readonly socket: string
  readonly gate: EngineGate
  readonly isPodman: boolean
  /** Nothing of it is kept yet. When in doubt: it costs a look at what the engine has already told. */
  readonly isNew: boolean
  /** The document; undefined when the engine does not know it any more. Rejects when it does not answer. */
  readonly inspect: (id: string) => Promise<Inspected | undefined>
  /** Secret values that its document tells, before anything of it is stored. */
  readonly learn: (document: Inspected) => Promise<void>
  /** The last that was measured of it. */
  readonly use?: ((id: string) => ContainerUse | undefined) | undefined
  /** What the kernel told. */
  readonly outOfMemory: Pick<OutOfMemory, 'inRun'>
  /** Something that belongs into events.db. */
  readonly tell: (type: LogEventType, message: string, facts: ContainerFacts) => void
  /** All of it is kept, and the engine has it no more. */
  readonly gone: (id: string) => void
}

/** Of a container that is older than what is kept of it, the newest lines: some 10 MB. The engine has the others. */
const LAST_LINES = 100_000
const OLD_MS = 60_000
/** A signal that was sent longer before the end did not end it. */
const SENT_MS = 60_000
/** A document has some 5 kB; labels and environments can be long. */
const MOST_LETTERS = 2 * 1024 * 1024
const GONE = 'it was removed before all of its log could be read'
/** A flood goes on: the first lines that are left out are told at once, the others together. */
const FLOOD_TELL_MS = 60_000

export class FollowedContainer {
  facts: ContainerFacts
  readonly #options: ContainerOptions
  readonly #folder: string
  readonly #log: LogFollower
  /** Lines that no event tells of yet. */
  #flood = { lines: 0, toldAtMs: -Infinity }
  #sent: { signal: string | undefined; timeMs: number } | undefined
  #document: Inspected | undefined
  #unreadable = false
  /** Starts that were heard of. */
  #runs = 0
  /** When the run before ended. */
  #endedBeforeMs: number | undefined
  /** The run of which all has come. */
  #readRun = -1
  #completing = false
  #ended = false
  /** What is known is not on the disk. */
  #unsaved: 'state' | 'all' | undefined

  constructor(facts: ContainerFacts, options: ContainerOptions) {
    this.facts = facts
    this.#options = options
    this.#folder = join(options.folder, facts.id)
    const { thread, gate, socket, isPodman, isNew } = options
    this.#log = new LogFollower({
      thread,
      gate,
      socket,
      id: facts.id,
      folder: this.#folder,
      wholeSeconds: isPodman,
      isNew,
      lastLines: Date.now() - (facts.createdMs ?? 0) > OLD_MS ? LAST_LINES : undefined,
      events: {
        ended: (reason) => void this.#logEnded(reason),
        gone: (unread) => void this.#logComplete(unread),
        unreadable: (message) => this.#cannotRead(message),
        trouble: (sentence) => options.tell('container.log-trouble', sentence, this.facts),
        counted: (counted) => this.#counted(counted),
      },
    })
  }

  /** Asks for its document, and keeps it. */
  async inspect(): Promise<void> {
    const document = await this.#options.inspect(this.facts.id)
    if (!document) return
    await this.#options.learn(document)
    this.#document = document
    this.facts = this.#withKernel(withInspected(this.facts, document))
    this.#save(true)
  }

  /** Follows its log, or catches up with it. `inspected`: until then the secrets that it was told are not known. */
  follow(inspected?: Promise<void>): void {
    if (this.#unreadable || this.facts.state === 'created' || this.facts.state === 'removed') return
    if (this.facts.state === 'exited' && (this.facts.logComplete || this.#readRun === this.#runs)) return
    this.#log.start(this.facts.state === 'exited', this.#document ? undefined : inspected)
  }

  /** What the engine told of it. */
  heard(event: ParsedEvent): void {
    if (event.action === 'kill') this.#sent = { signal: signalSent(event.attributes), timeMs: event.timeMs }
    const sent = this.#sent && event.timeMs - this.#sent.timeMs < SENT_MS ? this.#sent.signal : undefined
    const before = this.facts
    if (event.action === 'start') this.#endedBeforeMs = before.finishedMs ?? this.#endedBeforeMs
    this.facts = this.#withKernel(withEvent(before, event, sent))
    if (event.action === 'start') {
      this.#sent = undefined
      this.#runs += 1
      this.follow(this.#again())
    } else if (event.action === 'die' || event.action === 'oom' || event.action === 'health_status') {
      this.#measured()
      void this.#again()
    } else if (event.action === 'destroy') this.removed()
    if (this.facts !== before) this.#save(false)
  }

  /** The kernel's log tells of it, perhaps some seconds after its end. */
  ranOutOfMemory(): void {
    const before = this.facts
    this.facts = this.#withKernel(before)
    if (this.facts !== before) this.#save(false)
  }

  /** The engine has it no more. */
  removed(timeMs = Date.now()): void {
    if (this.facts.state !== 'removed' || this.facts.removedMs === undefined)
      this.facts = { ...this.facts, state: 'removed', removedMs: timeMs }
    this.#save(false)
    // What is still on its way comes first; then the engine ends it.
    if (!this.#log.follows && !this.#completing) this.#end()
  }

  /** The engine is not there any more. */
  stop(): void {
    this.#log.stop()
  }

  async #again(): Promise<void> {
    try {
      await this.inspect()
    } catch {
      // The engine does not answer: whoever follows it sees that, too.
    }
    this.follow()
  }

  #measured(): void {
    const use = this.#options.use?.(this.facts.id)
    if (use) this.facts = this.#withKernel({ ...this.facts, use })
  }

  /** By its log, or by what it counted. */
  #withKernel(facts: ContainerFacts): ContainerFacts {
    const { id, oomKilled, startedMs = Infinity, use } = facts
    if (oomKilled) return facts
    const isCounted = use?.oomKills !== undefined && use.oomKills > 0 && use.timeMs > startedMs
    const isKilled = isCounted || this.#options.outOfMemory.inRun(id, startedMs, this.#endedBeforeMs)
    return isKilled ? { ...facts, oomKilled: true } : facts
  }

  async #logEnded(reason: string | undefined): Promise<void> {
    const run = this.#runs
    try {
      const document = await this.#options.inspect(this.facts.id)
      if (document) this.facts = withInspected(this.facts, document)
      const isEnd = run === this.#runs && (!document || (reason === undefined && isOver(document)))
      if (isEnd && document && this.#log.checkEnd()) return
      if (isEnd) return await this.#logComplete()
    } catch {
      // The engine hangs, or is gone: then whoever follows it ends this, too.
    }
    this.#log.again()
  }

  /** All that it said has come, unless it was removed before; that is said of it once it is on the disk. */
  async #logComplete(unread = false): Promise<void> {
    const run = this.#runs
    this.#readRun = run
    this.#completing = true
    this.#log.finish()
    try {
      await this.#options.thread.flush()
    } catch {
      // It is asked for again when diagd starts, or the container does.
      this.#readRun = -1
      return
    } finally {
      this.#completing = false
    }
    if (run !== this.#runs) return
    const { state } = this.facts
    if (unread) this.facts = { ...this.facts, logComplete: false, logProblem: GONE }
    else if (state === 'exited' || state === 'removed') this.facts = { ...this.facts, logComplete: true }
    this.#save(false)
    if (state === 'removed') this.#end()
  }

  #cannotRead(message: string): void {
    this.#log.finish()
    this.#unreadable = true
    if (this.facts.logProblem !== message) {
      this.facts = { ...this.facts, logProblem: message }
      this.#options.tell('container.log-unreadable', message, this.facts)
      this.#save(false)
    }
    if (this.facts.state === 'removed') this.#end()
  }

  #counted({ flood, withheld, ambiguous }: Counted): void {
    const { tell } = this.#options
    this.#flood.lines += flood
    if (performance.now() - this.#flood.toldAtMs > FLOOD_TELL_MS) this.#tellFlood()
    if (withheld > 0)
      tell('container.log-withheld', `${withheld} lines could not be masked, and are not kept`, this.facts)
    if (ambiguous === 0) return
    const same = `${ambiguous} lines that say the same, in the same second, as known ones`
    tell('container.log-ambiguous', `after a resumption, ${same} were taken for known`, this.facts)
  }

  #tellFlood(): void {
    if (this.#flood.lines === 0) return
    const message = `${this.#flood.lines} lines were left out: it logs more than is kept`
    this.#options.tell('container.log-flood', message, this.facts)
    this.#flood = { lines: 0, toldAtMs: performance.now() }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#tellFlood()
    this.#log.finish()
    this.#log.close()
    this.#options.gone(this.facts.id)
  }

  /** Tries again what could not be written. */
  settle(): void {
    if (performance.now() - this.#flood.toldAtMs > FLOOD_TELL_MS) this.#tellFlood()
    if (this.#unsaved) this.#save(this.#unsaved === 'all')
  }

  /** In the order of the calls; the mask hears of new secrets before. */
  #save(withDocument: boolean): void {
    const { thread } = this.#options
    const all = withDocument || this.#unsaved === 'all'
    this.#unsaved = undefined
    const write = (name: DocumentName, value: unknown) => thread.document(this.#folder, name, documentOf(value))
    const writes = [write('state.json', this.facts)]
    if (all && this.#document) writes.push(write('inspect.json', this.#document))
    Promise.all(writes).catch(() => {
      this.#unsaved = all ? 'all' : 'state'
    })
  }
}

/** What is longer than is kept says so. */
export function documentOf(value: unknown): string {
  const text = `${JSON.stringify(value, undefined, 2)}\n`
  if (text.length <= MOST_LETTERS) return text
  return `${JSON.stringify({ leftOut: `${text.length} characters of JSON; at most ${MOST_LETTERS} are kept` })}\n`
}

/** One that is restarting has ended, too: it begins anew with an event. */
function isOver({ State }: Inspected): boolean {
  return State?.Status !== 'running' && State?.Status !== 'paused'
}
