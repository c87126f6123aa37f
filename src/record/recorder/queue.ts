/** Events of the API and of diagd itself on their way to the store: masked and stored in groups, in order, bounded. */
import type { NewEvent } from '../events/event.ts'

export interface Queue {
  /** Resolves with its id once a `kill -9` cannot lose it any more. Rejects when it is not kept. */
  add(event: NewEvent): Promise<number>
  /** Events that were not kept, since diagd started. */
  readonly dropped: number
  readonly waiting: number
  /** Resolves when all that waited is stored or refused. */
  idle(): Promise<void>
}

/** More wait only when the store hangs; then who posts has to know. */
const MOST_WAITING = 5000
const MOST_BYTES = 16 * 1024 * 1024
const GROUP = 500

interface Waiting {
  readonly event: NewEvent
  readonly bytes: number
  readonly resolve: (id: number) => void
  readonly reject: (error: Error) => void
}

/** `store` masks and stores a group, and gives its ids. */
export function createQueue(
  store: (events: readonly NewEvent[]) => Promise<readonly number[]>,
  onDropped: () => void = () => {},
): Queue {
  const waiting: Waiting[] = []
  let bytes = 0
  let dropped = 0
  let pumping: Promise<void> | undefined
  const pump = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP)
      for (const one of group) bytes -= one.bytes
      try {
        const ids = await store(group.map(({ event }) => event))
        for (const [index, { resolve }] of group.entries()) resolve(ids[index]!)
      } catch (error) {
        dropped += group.length
        for (const { reject } of group) reject(error as Error)
      }
    }
    // In the same breath as the last look: what comes later starts it again.
    pumping = undefined
  }
  return {
    get dropped() {
      return dropped
    },
    get waiting() {
      return waiting.length
    },
    add(event) {
      const size = sizeOf(event)
      if (waiting.length >= MOST_WAITING || bytes + size > MOST_BYTES) {
        dropped += 1
        onDropped()
        return Promise.reject(new Error(`${waiting.length} events wait to be stored already; try again later`))
      }
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      waiting.push({ event, bytes: size, resolve, reject })
      bytes += size
      pumping ??= pump()
      return promise
    },
    idle: async () => {
      while (pumping) await pumping
    },
  }
}

function sizeOf({ message, subject, detail }: NewEvent): number {
  return message.length + subject.length + (detail === undefined ? 0 : JSON.stringify(detail).length)
}
