/** What is said between the store and its thread. */
import type { Cursor, EventFilter } from '../events/event.ts'
import type { Row } from '../events/row.ts'
import type { StoreErrorCode } from './error.ts'

export interface StoreSettings {
  readonly path: string
  /** Older events go, milliseconds. */
  readonly maxAgeMs: number
  /** What the database and its log may take on the disk. */
  readonly maxBytes: number
  /** How often a store that is paused tries again; one that is off, thirty times as seldom. */
  readonly probeMs: number
}

/** Kept together or not at all. */
export interface Job {
  readonly rows: readonly Row[]
  readonly cursor?: Cursor
}

export type Request =
  | { readonly kind: 'append'; readonly jobs: readonly Job[] }
  | { readonly kind: 'query'; readonly filter: Omit<EventFilter, 'boot'> & { readonly boot?: string } }
  | { readonly kind: 'boots' }
  | { readonly kind: 'cursor'; readonly name: string }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' }

export interface Replies {
  /** The id of the first; the others follow. */
  readonly append: number
  readonly query: readonly (Row & { readonly id: number })[]
  readonly boots: readonly { readonly bootId: string; readonly first: string; readonly last: string }[]
  readonly cursor: string | undefined
  readonly checkpoint: undefined
  readonly close: undefined
}

export interface SetAside {
  /** What it is called now. */
  readonly path: string
  readonly why: 'damaged' | 'newer' | 'foreign' | 'removed'
  /** A sentence for people. */
  readonly message: string
}

export interface Status {
  readonly state: 'recording' | 'paused' | 'off'
  /** Why it is not recording. */
  readonly reason?: string
  /** Since when, milliseconds since 1970. */
  readonly sinceMs?: number
  /** All since the start. */
  readonly setAside: readonly SetAside[]
  /** Counts the files that were opened. */
  readonly generation: number
  readonly sizeBytes: number
  readonly events: number
  /** What is worth knowing and stops nothing. */
  readonly notes: readonly string[]
}

export interface Failure {
  readonly code: StoreErrorCode
  readonly message: string
}

export type Said =
  | { readonly status: Status }
  | { readonly id: number; readonly status: Status; readonly reply: unknown }
  | { readonly id: number; readonly status: Status; readonly failure: Failure }
