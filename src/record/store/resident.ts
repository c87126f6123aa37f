/** What lives beside a database in its thread: it writes by itself, and answers verbs of its own. */
import type { StoreEngine } from './engine.ts'

export interface Resident {
  readonly verbs: Readonly<Record<string, (argument: never) => unknown>>
  close(): void
}

/** What it may do with the database. */
export interface Beside {
  /** Whether it was kept; what was not is counted. */
  write(verb: string, argument: unknown): boolean
  /** undefined while the database cannot be asked. */
  read(verb: string, argument: unknown): unknown
}

/** By the name of the database; called when it is opened, with what it was opened with. */
export type Residents = Readonly<Record<string, (settings: never, beside: Beside) => Resident | undefined>>

export function besideOf(engine: StoreEngine, changed: (refused: number) => void): Beside {
  let refused = 0
  return {
    write(verb, argument) {
      try {
        engine.answer(verb, argument)
        return true
      } catch {
        // The status tells why.
        refused += 1
        return false
      } finally {
        changed(refused)
      }
    },
    read(verb, argument) {
      try {
        return engine.answer(verb, argument)
      } catch {
        return undefined
      }
    },
  }
}
