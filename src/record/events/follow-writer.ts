/** What a follower found goes to the store: in groups, in order, with the place where it goes on, and again until it is stored. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Cursor, NewEvent } from './event.ts'

/** Where followers put what they find, and learn where they were. */
export interface FollowSink {
  append(events: readonly NewEvent[], cursor: Cursor): Promise<unknown>
  cursor(name: string): Promise<string | undefined>
}

export interface Batch {
  readonly events: readonly NewEvent[]
  /** Where to go on once they are stored. */
  readonly value: string
}

export interface WriterOptions {
  /** Of the cursor. */
  readonly name: string
  readonly sink: FollowSink
  /** All that waits; undefined when nothing does. It is stored before the next is taken. */
  readonly take: () => Batch | undefined
  /** What is wrong with the store, and undefined once it is well. */
  readonly onTrouble: (message: string | undefined) => void
}

/** Nothing is lost before it is stored, for the source still has it: so groups may wait for company. */
const EVENTS_AFTER_MS = 300
/** The place moves on without events, too; a restart reads again what came since. */
const PLACE_AFTER_MS = 5000
const RETRY_MS = { first: 1000, most: 60_000 }
/** A store that does not answer does not hold up the end. */
const CLOSE_MS = 2000

export class FollowWriter {
  readonly #options: WriterOptions
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #dueMs = Infinity
  #writing: Promise<void> | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Something waits: events, or only a place. */
  soon(what: 'events' | 'place'): void {
    if (this.#closing.signal.aborted) return
    const afterMs = what === 'events' ? EVENTS_AFTER_MS : PLACE_AFTER_MS
    const dueMs = performance.now() + afterMs
    if (dueMs >= this.#dueMs) return
    this.#schedule(dueMs, afterMs)
  }

  /** Stores all that waits; resolves when it is stored, or when the writer is closed. */
  async flush(): Promise<void> {
    this.#unschedule()
    while (this.#writing) await this.#writing
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  /** One last try for what waits. */
  async close(): Promise<void> {
    this.#closing.abort()
    const ended = new AbortController()
    await Promise.race([this.flush(), delay(CLOSE_MS, undefined, { signal: ended.signal }).catch(() => {})])
    ended.abort()
    this.#unschedule()
  }

  #schedule(dueMs: number, afterMs: number): void {
    this.#unschedule()
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => void this.flush(), afterMs)
  }

  #unschedule(): void {
    clearTimeout(this.#timer)
    this.#dueMs = Infinity
  }

  async #write(): Promise<void> {
    const { name, sink, take } = this.#options
    for (let batch = take(); batch !== undefined; batch = take()) {
      const { events, value } = batch
      const stored = await this.#untilStored(() => sink.append(events, { name, value }))
      if (!stored) return
    }
  }

  /** False when the writer was closed before. */
  async #untilStored(append: () => Promise<unknown>): Promise<boolean> {
    const { signal } = this.#closing
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.most)) {
      try {
        await append()
        this.#options.onTrouble(undefined)
        return true
      } catch (error) {
        this.#options.onTrouble((error as Error).message)
      }
      if (signal.aborted) return false
      await delay(waitMs, undefined, { signal }).catch(() => {})
    }
  }
}
