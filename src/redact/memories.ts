/**
 * Memory that both threads see. A stretch is masked where it lies: sent over, each would be garbage in both threads, faster
 * than it is collected.
 */
import { CAPACITY_BYTES } from './stream.ts'

export interface Memory {
  readonly id: number
  readonly bytes: Buffer
}

export interface Memories {
  /** One that no other stream has. */
  lend(): Memory
  giveBack(memory: Memory): void
  /** All that the other thread has to know. */
  known(): Iterable<Memory>
  /** The other thread is gone; what is given back later is not lent again. */
  clear(): void
}

/** Free ones kept for the next stream: more than run side by side as a rule. */
const KEPT = 8

/** @param told hears of a memory that is new, and of one that is gone. */
export function createMemories(told: { added: (memory: Memory) => void; dropped: (id: number) => void }): Memories {
  const all = new Map<number, Memory>()
  const free: Memory[] = []
  let next = 0
  const add = (): Memory => {
    const memory = { id: next++, bytes: Buffer.from(new SharedArrayBuffer(CAPACITY_BYTES)) }
    all.set(memory.id, memory)
    told.added(memory)
    return memory
  }
  return {
    lend: () => free.pop() ?? add(),
    giveBack(memory) {
      if (!all.has(memory.id)) return
      if (free.length < KEPT) return void free.push(memory)
      all.delete(memory.id)
      told.dropped(memory.id)
    },
    known: () => all.values(),
    clear() {
      all.clear()
      free.length = 0
    },
  }
}
