/** What is special to one database of the recorder; all else is the same for each of them. */
import type Database from 'better-sqlite3'
import type { StoreSettings } from './protocol.ts'

/** By it a database is known outside of its thread. */
export interface Label {
  readonly name: string
  /** In the folder of the state: `events.db`. */
  readonly fileName: string
  readonly words: Words
}

export interface Book<S = never> extends Label {
  /** In the header of the file: whose database it is. */
  readonly applicationId: number
  /** Each brings the database from the version before it to its own: the first makes version 1. Never changed, only added to. */
  readonly migrations: readonly string[]
  /** Brings forward what no version tells of; part of the same transaction, at every opening. */
  readonly adapt?: (db: Database.Database) => void
  /** The table whose ids tell the order of all; they grow with every row (AUTOINCREMENT). */
  readonly table: string
  readonly reads: Readonly<Record<string, Read>>
  readonly writes: Readonly<Record<string, Write>>
  /** One step, of some milliseconds, of what has to be done now and then: what is too old or too much goes. */
  maintain(db: Database.Database, settings: S, bounds: Bounds): Maintained
}

/** What it is called in messages for people. */
interface Words {
  /** `The database of events` */
  readonly database: string
  /** What it keeps: `Events`, in `Events are not recorded since …`. */
  readonly kept: string
  /** What is refused, and what waits: `events`. */
  readonly units: string
}

/** What is asked for; it changes nothing. The argument and the answer have to be such as can be sent to a thread. */
type Read = (db: Database.Database, argument: never) => unknown

/** Puts something into the database, in one transaction of its own. */
type Write = (db: Database.Database, argument: never) => Written<unknown>

export interface Written<R> {
  readonly reply: R
  /** How many rows the table has more. */
  readonly rows: number
  /** Whether it is there: asked when the files were found to be others than those that were opened. */
  isThere(db: Database.Database): boolean
}

export interface Bounds {
  /** The time by which age is judged, milliseconds since 1970. */
  readonly nowMs: number
  /** For the pages that hold something. */
  readonly maxPageBytes: number
}

export interface Maintained {
  /** How many rows the table has less. */
  readonly rows: number
  /** Whether there is more of it to do. */
  readonly more: boolean
  /** What is worth knowing of what it keeps, and stops nothing. */
  readonly notes?: readonly string[]
}

type Verbs<B extends Book> = B['reads'] & B['writes']

/** What can be asked of a database, by name. */
export type Verb<B extends Book> = keyof Verbs<B> & string
export type Argument<B extends Book, V extends Verb<B>> = Parameters<Verbs<B>[V]>[1]
export type Reply<B extends Book, V extends Verb<B>> =
  ReturnType<Verbs<B>[V]> extends Written<infer R> ? R : ReturnType<Verbs<B>[V]>
export type SettingsOf<B extends Book> = StoreSettings & Parameters<B['maintain']>[1]
