/** The contract of what reads: a look at one subject, synchronous, for it happens in a thread where nobody waits. */
import type { ReadingRow } from '../metric.ts'

export type Values = Readonly<Record<string, number>>

export interface Reader {
  /** In messages: what could not be read. */
  readonly name: string
  /** @throws Error when a file is there and cannot be read; it costs this reader's numbers only. */
  read(moment: Moment): Part
}

/** What is known already while a reading is made. */
export interface Moment {
  /** CLOCK_MONOTONIC, milliseconds. */
  readonly monotonicMs: number
  /** What the readers before this one found of the host. */
  readonly host: Values
}

/** What a reader found. What the machine does not have is not in it. */
export interface Part {
  readonly host?: Values
  readonly rows?: readonly ReadingRow[]
}

/** Without those that are not known. */
export function known(values: Readonly<Record<string, number | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  )
}
