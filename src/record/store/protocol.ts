/** What is said between a store and the thread in which its database is. */
import type { StoreErrorCode } from './error.ts'

/** Of one database; a book may ask for more. */
export interface StoreSettings {
  readonly path: string
  /** What the database and its log may take on the disk. */
  readonly maxBytes: number
  /** How often a store that is paused tries again (one that is off, thirty times as seldom), and one that is not looks what has to go. */
  readonly probeMs: number
}

/** `book` is the name of one. */
export type Asked = { readonly book: string; readonly id: number } & (
  | { readonly verb: string; readonly argument: unknown }
  | { readonly own: OwnRequest }
)

/** What every database answers. */
export type OwnRequest =
  | { readonly kind: 'open'; readonly settings: StoreSettings }
  /** The log is to be short. */
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' }

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
  /** Of the table that tells the order. */
  readonly rows: number
  /** What lives beside it could not write, since the thread was started. */
  readonly refused: number
  /** What is worth knowing and stops nothing. */
  readonly notes: readonly string[]
}

interface Failure {
  readonly code: StoreErrorCode
  readonly message: string
}

export type Said = { readonly book: string; readonly status: Status } & (
  | { readonly id?: undefined }
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly failure: Failure }
)
