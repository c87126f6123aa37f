/** What engines and the tail tell, on its way to events.db: in order, with the place on /events of each engine, and of many alike their number. */
import { Flood } from '../../journal/flood.ts'
import type { NewEvent } from '../../events/event.ts'
import { FollowWriter, type FollowSink } from '../../events/follow-writer.ts'

const CURSOR = 'containers'
/** More wait only when the store is off for long. */
const MOST_WAITING = 5000
const SUM_AFTER_MS = 10_000

export class Outbox {
  readonly #writer: FollowWriter
  readonly #sink: FollowSink
  readonly #flood = new Flood()
  /** By engine: the newest event that is told. */
  readonly #places = new Map<string, string>()
  #waiting: NewEvent[] = []
  #moved = false
  #isKnown = false
  #dropped = 0
  #summing: NodeJS.Timeout | undefined
  /** What is wrong with the store. */
  problem: string | undefined

  constructor(sink: FollowSink) {
    this.#sink = sink
    this.#writer = new FollowWriter({
      name: CURSOR,
      sink,
      take: () => this.#take(),
      onTrouble: (problem) => {
        this.problem = problem
      },
    })
  }

  get dropped(): number {
    return this.#dropped
  }

  /** Reads where each engine was left. */
  async open(): Promise<void> {
    try {
      const places = JSON.parse((await this.#sink.cursor(CURSOR)) ?? '{}') as Record<string, string>
      for (const [engine, place] of Object.entries(places)) this.#places.set(engine, place)
      this.#isKnown = true
    } catch {
      // What happened while diagd was away is not told then; what is there, is.
    }
  }

  /** Whether it could be read what is told already. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** `since` of /events. */
  placeOf(engine: string): string | undefined {
    return this.#places.get(engine)
  }

  /** `place`: of an event that an engine told. */
  add(event: NewEvent, place?: { engine: string; cursor: string }): void {
    if (place) {
      this.#places.set(place.engine, place.cursor)
      this.#moved = true
    }
    if (this.#flood.passes(event)) this.#push(event)
    else this.#summing ??= setTimeout(() => this.#sum(), SUM_AFTER_MS).unref()
    this.#writer.soon(this.#waiting.length > 0 ? 'events' : 'place')
  }

  async close(): Promise<void> {
    this.#sum()
    await this.#writer.close()
  }

  #sum(): void {
    clearTimeout(this.#summing)
    this.#summing = undefined
    for (const event of this.#flood.sums()) this.#push(event)
    if (this.#waiting.length > 0) this.#writer.soon('events')
  }

  #push(event: NewEvent): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.shift()
      this.#dropped += 1
    }
    this.#waiting.push(event)
  }

  #take() {
    if (this.#waiting.length === 0 && !this.#moved) return undefined
    const events = this.#waiting
    this.#waiting = []
    this.#moved = false
    return { events, value: JSON.stringify(Object.fromEntries(this.#places)) }
  }
}
