/** One row of the tables that turn lines of the journal into events: data, with names instead of code. */
import type { Level, Source } from '../events/event.ts'

export interface Row {
  readonly type: string
  readonly level: Level
  readonly source: Source
  /** What it means, for the docs. */
  readonly title: string
  /** Whose words count. `service`: `where` names its unit. */
  readonly from: Speaker
  /** MESSAGE_IDs of systemd's catalog, without dashes; any of them. */
  readonly ids?: readonly string[]
  /** What MESSAGE has to look like; its named groups are there for `subject` and `detail`. */
  readonly pattern?: RegExp
  /** What other fields have to look like. */
  readonly where?: Readonly<Record<string, RegExp>>
  /** The name of a field (UPPER CASE) or of a group of the pattern (lower case), or several: the first that is there. */
  readonly subject?: string | readonly string[]
  /** The same, by the name in the detail; what looks like a whole number is one. */
  readonly detail?: Readonly<Record<string, string>>
  /** Fields of an entry that make this event. */
  readonly example: Readonly<Record<string, string>>
}

/**
 * Who said it, by fields that a process cannot forge: journald itself adds those that begin with `_`.
 * - `kernel`: the kernel's own messages
 * - `systemd`: process 1
 * - `journald`
 * - `service`: a process of a unit
 */
export type Speaker = 'kernel' | 'systemd' | 'journald' | 'service'
