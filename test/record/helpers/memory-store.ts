/** Events and cursors as the store keeps them: together or not at all. Outlives the followers that write to it. */
import type { Cursor, NewEvent } from '../../../src/record/events/event.ts'

export interface MemoryStore {
  readonly events: NewEvent[]
  readonly cursors: Map<string, string>
  append(events: readonly NewEvent[], cursor?: Cursor): Promise<readonly number[]>
  cursor(name: string): Promise<string | undefined>
  /** Appends are refused as long as this is set. */
  refuses: string | undefined
  /** Resolves when what is stored satisfies it. */
  until(satisfied: (store: MemoryStore) => boolean): Promise<void>
}

export function memoryStore(): MemoryStore {
  const waiting: { satisfied: (store: MemoryStore) => boolean; resolve: () => void }[] = []
  const store: MemoryStore = {
    events: [],
    cursors: new Map(),
    refuses: undefined,
    async append(events, cursor) {
      if (store.refuses !== undefined) throw new Error(store.refuses)
      const first = store.events.length + 1
      store.events.push(...events)
      if (cursor) store.cursors.set(cursor.name, cursor.value)
      for (const { satisfied, resolve } of waiting) if (satisfied(store)) resolve()
      return events.map((_, index) => first + index)
    },
    cursor: async (name) => store.cursors.get(name),
    until(satisfied) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (satisfied(store)) resolve()
      else waiting.push({ satisfied, resolve })
      return promise
    },
  }
  return store
}

/** How many of each type. */
export function counted(events: readonly NewEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1
  return counts
}
