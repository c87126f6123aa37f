/** The logs as the event loop sees them: bytes are handed to a thread, and whoever is faster than it has to wait. */
import type { DocumentName } from '../container.ts'
import { ThreadHost } from './host.ts'
import { Memories, MEMORY_BYTES, type Memory } from './memories.ts'
import type { Counted, MaskSettings, Order, Place, Said, ThreadSettings } from './protocol.ts'

export type LogThreadSettings = Omit<ThreadSettings, 'phase'> & {
  /** See `HostOptions`; default 60 s. */
  readonly idleMs?: number
  /** Default 20 s, which a starved machine may need. */
  readonly watchdogMs?: number
}

export interface LogThreadEvents {
  counted(counted: Counted): void
  /** `cap`: lines of any log that went, for there was no more room for all. */
  kept(keptBytes: number, forgotten: number, cap: number): void
  /** undefined once it is well again. */
  disk(problem: string | undefined): void
  /** The thread broke down, or was ended. */
  broke(reason: string): void
}

export interface LogEvents {
  /** What was pushed since the last place may be lost: ask for the place, and begin anew. */
  lost(reason: string): void
  /** It takes bytes again. */
  ready(): void
  /** What the engine said of its own trouble. */
  trouble(sentence: string): void
  counted(counted: Counted): void
}

/** At most so much is pushed at once. */
export const PUSH_BYTES = 16 * 1024
/** Of one log, so that a flood does not take all there is. */
const MOST_IN_FLIGHT = 6
/** Small pieces are sent together. */
const POST_AFTER_MS = 10
const IDLE_MS = 60_000
const WATCHDOG_MS = 20_000

export class LogThread {
  readonly #events: LogThreadEvents
  readonly #host: ThreadHost
  readonly #memories = new Memories()
  readonly #logs = new Map<number, Log>()
  readonly #tasks = new Map<number, PromiseWithResolvers<void>>()
  /** Who has which memory, as long as the thread does not give it back. */
  readonly #owners = new Map<number, Log>()
  /** Logs that wait for memory, the first that came first. */
  readonly #waiting = new Set<Log>()
  #mask: MaskSettings = { options: undefined, rules: '', values: 0 }
  #posting: NodeJS.Timeout | undefined
  #next = 0

  constructor({ idleMs = IDLE_MS, watchdogMs = WATCHDOG_MS, ...settings }: LogThreadSettings, events: LogThreadEvents) {
    this.#events = events
    this.#host = new ThreadHost({
      settings,
      idleMs,
      watchdogMs,
      prepare: () => [
        { kind: 'mask', mask: this.#mask },
        ...this.#memories.all.map(({ id, shared }): Order => ({ kind: 'memory', memory: id, bytes: shared })),
      ],
      isBusy: () => this.#owners.size + this.#tasks.size + this.#waiting.size > 0 || this.#posting !== undefined,
      heard: (said) => this.#heard(said),
      again: (order) => this.#again(order),
      gone: (reason, hungOn) => this.#gone(reason, hungOn),
    })
  }

  /** Whether there is a thread now. */
  get runs(): boolean {
    return this.#host.runs
  }

  /** What is masked with from now on. */
  setMask(mask: MaskSettings): void {
    this.#mask = mask
    if (this.#host.runs) this.#host.post({ kind: 'mask', mask })
  }

  open(folder: string, events: LogEvents): LogHandle {
    const log = new Log(this.#next++, folder, events)
    this.#logs.set(log.number, log)
    return new LogHandle(this, log)
  }

  /** Masks and writes a document. */
  document(folder: string, name: DocumentName, text: string): Promise<void> {
    return this.#ask((task) => ({ kind: 'document', folder, name, text, task }))
  }

  /** Resolves when all that was pushed is on the disk; rejects with what is wrong with that. */
  async flush(): Promise<void> {
    this.#postMemories()
    if (!this.#host.runs) return
    await this.#ask((task) => ({ kind: 'flush', task }))
  }

  /** What waits is written. */
  async close(): Promise<void> {
    await this.flush().catch(() => {})
    this.#host.close()
  }

  place(log: Log): Promise<Place> {
    log.lost = false
    const { promise } = (log.asked ??= Promise.withResolvers<Place>())
    const told = log.open ? this.#host.post({ kind: 'place', log: log.number }) : this.#openLog(log)
    if (!told) this.#refuse(log, 'the thread of the logs broke down, and is started again later')
    return promise
  }

  push(log: Log, bytes: Buffer, length: number): boolean {
    // Nobody knows where this belongs.
    if (log.lost) return true
    if (log.overflow || !this.#hasRoom(log, length)) {
      log.overflow = Buffer.concat([...(log.overflow ? [log.overflow] : []), bytes.subarray(0, length)])
      this.#waiting.add(log)
      return false
    }
    bytes.copy(log.memory!.bytes, log.filled, 0, length)
    log.filled += length
    if (MEMORY_BYTES - log.filled < PUSH_BYTES) this.#postMemory(log)
    else this.#posting ??= setTimeout(() => this.#postMemories(), POST_AFTER_MS)
    return true
  }

  /** Behind all that was pushed. */
  tell(log: Log, order: Order): void {
    if (log.overflow) return void log.later.push(order)
    if (log.filled > 0) this.#postMemory(log)
    if (order.kind === 'close') this.#logs.delete(log.number)
    if (!log.lost) this.#post(log, order)
    else if (order.kind === 'close' && log.open) this.#host.post(order)
  }

  #post(log: Log, order: Order): boolean {
    if ((log.open || this.#openLog(log)) && this.#host.post(order)) return true
    this.#lose(log, 'the thread of the logs broke down, and is started again later')
    return false
  }

  #openLog(log: Log): boolean {
    const { number, folder, withholdUntil } = log
    const order: Order = {
      kind: 'open',
      log: number,
      folder,
      ...(withholdUntil === undefined ? {} : { withholdUntil }),
    }
    return (log.open = this.#host.post(order))
  }

  /** Takes memory for it where there is some. */
  #hasRoom(log: Log, length: number): boolean {
    if (log.memory && MEMORY_BYTES - log.filled < length) this.#postMemory(log)
    if (log.memory || log.inFlight >= MOST_IN_FLIGHT) return log.memory !== undefined
    const known = this.#memories.all.length
    log.memory = this.#memories.take()
    if (!log.memory) return false
    // A thread that is started for it hears of all there are.
    if (this.#host.runs && this.#memories.all.length > known)
      this.#host.post({ kind: 'memory', memory: log.memory.id, bytes: log.memory.shared })
    return true
  }

  #postMemories(): void {
    clearTimeout(this.#posting)
    this.#posting = undefined
    for (const log of this.#logs.values()) if (log.filled > 0) this.#postMemory(log)
  }

  #postMemory(log: Log): void {
    const { memory, filled } = log
    log.memory = undefined
    log.filled = 0
    log.inFlight += 1
    this.#owners.set(memory!.id, log)
    if (this.#post(log, { kind: 'bytes', log: log.number, memory: memory!.id, length: filled })) return
    this.#owners.delete(memory!.id)
    this.#memories.give(memory!.id)
    log.inFlight -= 1
  }

  #heard(said: Said): void {
    const log = 'log' in said ? this.#logs.get(said.log) : undefined
    switch (said.kind) {
      case 'opened':
        log?.asked?.resolve(said.place)
        if (log) log.asked = undefined
        return
      case 'failed':
        if (log) log.open = false
        if (log) this.#refuse(log, said.reason)
        return
      case 'taken':
        return this.#taken(said.memory)
      case 'counted':
        this.#events.counted(said.counted)
        return log?.events.counted(said.counted)
      case 'broken':
        return log && this.#lose(log, said.reason)
      case 'trouble':
        return log?.events.trouble(said.sentence)
      case 'kept':
        return this.#events.kept(said.keptBytes, said.forgotten, said.cap)
      case 'disk':
        return this.#events.disk(said.problem)
      case 'done':
        return this.#done(said.task, said.problem)
      default:
    }
  }

  #taken(memory: number): void {
    const owner = this.#owners.get(memory)
    this.#owners.delete(memory)
    if (owner) owner.inFlight -= 1
    this.#memories.give(memory)
    for (const log of this.#waiting) {
      const { overflow, later } = log
      if (!overflow || !this.#hasRoom(log, overflow.length)) continue
      this.#waiting.delete(log)
      log.overflow = undefined
      log.later = []
      this.push(log, overflow, overflow.length)
      for (const order of later) this.tell(log, order)
      log.events.ready()
    }
  }

  #done(task: number, problem: string | undefined): void {
    const asked = this.#tasks.get(task)
    this.#tasks.delete(task)
    if (this.#tasks.size === 0) this.#host.keepAlive(false)
    if (problem === undefined) asked?.resolve()
    else asked?.reject(new Error(problem))
  }

  /** The thread ended of its own accord before it got to it. */
  #again(order: Order): void {
    const log = 'log' in order ? this.#logs.get(order.log) : undefined
    // Those of all threads are told to the next one when it starts.
    if (order.kind === 'memory' || order.kind === 'mask') return
    if (log && order.kind === 'open') this.#openLog(log)
    else if (log) this.#post(log, order)
    else this.#host.post(order)
  }

  #gone(reason: string | undefined, hungOn: number | undefined): void {
    for (const log of this.#logs.values()) log.open = false
    if (reason === undefined) {
      const isUsed = this.#owners.size > 0 || [...this.#logs.values()].some(({ memory }) => memory !== undefined)
      if (!isUsed) this.#memories.clear()
      return
    }
    for (const memory of this.#owners.keys()) this.#memories.give(memory)
    this.#owners.clear()
    for (const [task, asked] of this.#tasks) {
      this.#tasks.delete(task)
      asked.reject(new Error(reason))
    }
    this.#events.broke(reason)
    const hung = hungOn === undefined ? undefined : this.#logs.get(hungOn)
    if (hung) hung.withholdUntil = Math.floor(Date.now() / 1000)
    for (const log of this.#logs.values()) {
      log.inFlight = 0
      this.#lose(log, reason)
    }
  }

  #lose(log: Log, reason: string): void {
    if (log.memory) this.#memories.give(log.memory.id)
    log.memory = undefined
    log.overflow = undefined
    log.later = []
    log.filled = 0
    log.lost = true
    this.#waiting.delete(log)
    this.#refuse(log, reason)
    log.events.lost(reason)
  }

  #refuse(log: Log, reason: string): void {
    log.asked?.reject(new Error(reason))
    log.asked = undefined
  }

  #ask(order: (task: number) => Order): Promise<void> {
    const task = this.#next++
    const asked = Promise.withResolvers<void>()
    this.#tasks.set(task, asked)
    if (!this.#host.post(order(task))) this.#done(task, 'the thread of the logs broke down, and is started again later')
    else this.#host.keepAlive(true)
    return asked.promise
  }
}

/** What the event loop knows of a log. */
class Log {
  readonly number: number
  readonly folder: string
  readonly events: LogEvents
  /** The thread has it open. */
  open = false
  /** Bytes are of no use until its place was asked for. */
  lost = true
  asked: PromiseWithResolvers<Place> | undefined
  /** The mask hung on it: seconds since 1970. */
  withholdUntil: number | undefined
  memory: Memory | undefined
  filled = 0
  inFlight = 0
  /** What there was no memory for, and what is to be told behind it. */
  overflow: Buffer | undefined
  later: Order[] = []

  constructor(number: number, folder: string, events: LogEvents) {
    this.number = number
    this.folder = folder
    this.events = events
  }
}

/** A log, for whoever follows it. */
export class LogHandle {
  readonly #thread: LogThread
  readonly #log: Log

  constructor(thread: LogThread, log: Log) {
    this.#thread = thread
    this.#log = log
  }

  /** From where the engine is to be asked. Rejects when its folder cannot be written, or the thread broke down. */
  place(): Promise<Place> {
    return this.#thread.place(this.#log)
  }

  /** Nothing of it is kept yet: the thread need not be asked, which may have to start first. */
  placeOfNew(): Place {
    this.#log.lost = false
    return { since: undefined, sinceWholeSeconds: undefined }
  }

  /** What is pushed from now on is the answer to a question with that place. */
  begin(): void {
    this.#thread.tell(this.#log, { kind: 'begin', log: this.#log.number })
  }

  /** Copies at most `PUSH_BYTES`; false: the next only after `ready`. */
  push(bytes: Buffer, length: number): boolean {
    return this.#thread.push(this.#log, bytes, length)
  }

  end(finished: boolean): void {
    this.#thread.tell(this.#log, { kind: 'end', log: this.#log.number, finished })
  }

  /** A sentence where the next line would stand. */
  mark(sentence: string): void {
    this.#thread.tell(this.#log, { kind: 'mark', log: this.#log.number, sentence })
  }

  /** Nothing more comes for long: what there is becomes a segment. */
  close(): void {
    this.#thread.tell(this.#log, { kind: 'close', log: this.#log.number })
  }
}
