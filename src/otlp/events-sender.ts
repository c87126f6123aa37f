/**
 * Events on their way to a collector. The queue is events.db itself, with a cursor in it: a collector may be away for as long
 * as events are kept, over restarts too, and what waits takes no memory. A group is sent again until it is taken; so one that
 * was taken and not acknowledged (a connection that broke, a `kill -9` before the cursor moved) is there twice, with the same
 * log.record.uid. What retention removed before it could be sent is counted as lost.
 */
import type { Cursor, EventFilter, StoredEvent } from '../record/events/event.ts'
import type { Delivery } from './send.ts'
import type { SignalState } from './state.ts'

/** As much of the store of events as this needs. */
export interface EventSource {
  query(filter: EventFilter): Promise<readonly StoredEvent[]>
  cursor(name: string): Promise<string | undefined>
  keepCursor(cursor: Cursor): Promise<unknown>
}

export interface EventsSenderOptions {
  readonly source: EventSource
  readonly send: (events: readonly StoredEvent[]) => Promise<Delivery>
  readonly rejectedBy: (body: Uint8Array) => Promise<{ readonly count: number; readonly message: string } | undefined>
  readonly state: SignalState
}

export const OTLP_CURSOR = 'otlp'
/** In one request. Collectors take 4 MiB and more; an event may have 20 kB. */
const MOST_EVENTS = 200
const MOST_CHARACTERS = 512 * 1024

export interface EventsSender {
  /**
   * Sends a group.
   * @returns `more`: there may be another at once; `idle`: there was nothing; `later`: it was not taken.
   * @throws StoreError
   */
  turn(): Promise<{ readonly next: 'more' | 'idle' } | { readonly next: 'later'; readonly retryAfterMs?: number }>
}

export function createEventsSender({ source, send, rejectedBy, state }: EventsSenderOptions): EventsSender {
  let most = MOST_EVENTS
  let lastId: number | undefined
  let known = false

  /** Without a cursor it begins with this boot: who starts to look does not want last week. */
  const next = async (): Promise<readonly StoredEvent[]> => {
    if (!known) lastId = idOf(await source.cursor(OTLP_CURSOR))
    known = true
    const all = lastId === undefined ? { boot: 0, afterId: 0 } : { afterId: lastId }
    return bounded(await source.query({ ...all, limit: most }))
  }
  const moveOn = async (group: readonly StoredEvent[]) => {
    const { id: first } = group[0]!
    const { id: last } = group.at(-1)!
    if (lastId !== undefined) state.lost(first - lastId - 1)
    lastId = last
    // In memory it has moved on: a store that is full does not have the same sent again and again.
    await source.keepCursor({ name: OTLP_CURSOR, value: String(last) }).catch(() => {})
  }
  return {
    async turn() {
      const group = await next()
      if (group.length === 0) return { next: 'idle' }
      const delivery = await send(group)
      if (delivery.kind === 'later') {
        state.failed(delivery.reason)
        const { retryAfterMs } = delivery
        return retryAfterMs === undefined ? { next: 'later' } : { next: 'later', retryAfterMs }
      }
      if (delivery.kind === 'refused' && delivery.tooLarge && group.length > 1) {
        most = Math.ceil(group.length / 2)
        return { next: 'more' }
      }
      if (delivery.kind === 'refused') state.refused(group.length, delivery.reason)
      else state.taken(group.length, await rejectedBy(delivery.body))
      await moveOn(group)
      most = Math.min(most * 2, MOST_EVENTS)
      return { next: 'more' }
    },
  }
}

function idOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

/** One at least. */
function bounded(events: readonly StoredEvent[]): readonly StoredEvent[] {
  let characters = 0
  const end = events.findIndex(({ message, subject, detail }) => {
    characters += message.length + subject.length + (detail === undefined ? 0 : JSON.stringify(detail).length)
    return characters > MOST_CHARACTERS
  })
  return end === -1 ? events : events.slice(0, Math.max(end, 1))
}
