/** Many events of one kind in a short time: the first are kept, the others counted and summed up in one event. */
import type { NewEvent } from '../events/event.ts'

/** Events of one type and subject that are kept of each window; a unit that is restarted every second stays below. */
const KEPT = 20
const WINDOW_MS = 10_000
const MAX_KEYS = 1024

interface Window {
  readonly sinceMs: number
  kept: number
}

interface Held {
  readonly first: NewEvent
  last: NewEvent
  count: number
}

/** By the events' own times, so that a backlog and what is live are treated alike. */
export class Flood {
  readonly #windows = new Map<string, Window>()
  readonly #held = new Map<string, Held>()

  get holds(): boolean {
    return this.#held.size > 0
  }

  /** Whether it is kept; else it is counted for `sums`. */
  passes(event: NewEvent): boolean {
    const key = `${event.bootId} ${event.type} ${event.subject}`
    const { sinceMs = -Infinity, kept = 0 } = this.#windows.get(key) ?? {}
    if (Math.abs(event.timeMs - sinceMs) >= WINDOW_MS) {
      if (this.#windows.size >= MAX_KEYS) this.#windows.clear()
      this.#windows.set(key, { sinceMs: event.timeMs, kept: 1 })
      return true
    }
    if (kept < KEPT) {
      this.#windows.set(key, { sinceMs, kept: kept + 1 })
      return true
    }
    const held = this.#held.get(key)
    if (held) {
      held.last = event
      held.count += 1
    } else this.#held.set(key, { first: event, last: event, count: 1 })
    return false
  }

  /** One event for each kind of which some were counted since the last time. */
  sums(): NewEvent[] {
    const sums = [...this.#held.values()].map(sumOf)
    this.#held.clear()
    return sums
  }
}

function sumOf({ first, last, count }: Held): NewEvent {
  const message = `${count} more like this; the last: ${last.message}`.slice(0, 4096)
  return { ...last, message, detail: { repeated: count, since: iso(first), until: iso(last) } }
}

function iso({ timeMs }: NewEvent): string {
  return new Date(timeMs).toISOString()
}
