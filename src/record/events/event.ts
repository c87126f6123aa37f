/** The contract of the recorder: what an event is, and what keeps events. Types only. */
import type { Level } from '../../sources/levels.ts'
import type { Snapshot } from '../../sources/sqlite-snapshot.ts'

export type { Snapshot, SnapshotEnd } from '../../sources/sqlite-snapshot.ts'

export { LEVELS, type Level } from '../../sources/levels.ts'

/** Who saw it: a person or program over the API, the journal of systemd or the kernel, cloud-init, or diagd itself. */
export const SOURCES = ['api', 'systemd', 'kernel', 'cloud-init', 'phase', 'container', 'diagd'] as const
export type Source = (typeof SOURCES)[number]

/** What somebody wants kept. */
export interface NewEvent {
  /** Wall clock, milliseconds since 1970, fractions down to the microsecond. */
  readonly timeMs: number
  /** Milliseconds since the boot (CLOCK_MONOTONIC); undefined where the source does not tell. */
  readonly monotonicMs?: number
  /** The boot it belongs to, as /proc/sys/kernel/random/boot_id writes it. */
  readonly bootId: string
  readonly source: Source
  /** Dotted, from the general to the special: `unit.failed`, `provision.docker-install`, `kernel.oom-kill`. At most 128 characters. */
  readonly type: string
  readonly level: Level
  /** What it is about: a unit, a process, a device, a container; '' where nothing is. At most 256 characters. */
  readonly subject: string
  /** A sentence for people, masked before it is stored. At most 4096 characters. */
  readonly message: string
  /** For programs: JSON, masked before it is stored. At most 16 KiB. */
  readonly detail?: Readonly<Record<string, unknown>>
}

export interface StoredEvent extends NewEvent {
  /** Grows with every event, also when the clock is set back. */
  readonly id: number
}

/** Where a source goes on after a restart; kept in the same transaction as the events it brought. */
export interface Cursor {
  readonly name: string
  readonly value: string
}

export interface EventFilter {
  /** These levels and graver ones. */
  readonly level?: Level
  /** `unit` finds `unit.failed`. */
  readonly typePrefix?: string
  readonly source?: Source
  /** A boot id, or 0 for the present boot, −1 for the one before. */
  readonly boot?: string | number
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Stands in subject or message, without regard to case. */
  readonly text?: string
  /** Events with smaller ids: newest first. */
  readonly beforeId?: number
  /** Events with greater ids: oldest first. */
  readonly afterId?: number
  /** 1 to 1000. */
  readonly limit: number
}

export interface Boot {
  readonly bootId: string
  /** 0 is the present one, −1 the one before. */
  readonly index: number
  /** First and last that is known of it, milliseconds since 1970. */
  readonly firstMs: number
  readonly lastMs: number
}

export interface RecorderHealth {
  /** `paused`: it does not go now, and is tried again (the disk is full). `off`: the database cannot be opened. */
  readonly state: 'recording' | 'paused' | 'off'
  /** Why it is not recording, or what was set aside: for people. */
  readonly problems: readonly string[]
  /** The database and its write-ahead log. */
  readonly sizeBytes: number
  readonly events: number
  /** Events that were not taken since the start: paused, off, or the queue was full. */
  readonly refusedEvents: number
}

/** Keeps events. Everything resolves or rejects; nothing holds the event loop. */
export interface EventStore {
  /** The database file. Never to be opened and closed in this process but by snapshots: see src/sources/sqlite-files.ts. */
  readonly path: string
  /**
   * Resolves with the ids once neither a `kill -9` nor a power cut can lose them any more; all or none are kept. What is too long is
   * cut and marked. Rejects with a StoreError: `invalid`, `busy` (the queue is full), `paused`, `off` or `closed`.
   */
  append(events: readonly NewEvent[], cursor?: Cursor): Promise<readonly number[]>
  /** Newest first; with `afterId`, oldest first. */
  query(filter: EventFilter): Promise<readonly StoredEvent[]>
  /** The present one first. */
  boots(): Promise<readonly Boot[]>
  cursor(name: string): Promise<string | undefined>
  health(): RecorderHealth
  /** The whole database, consistent, while others go on writing: its bytes and how many there will be. */
  snapshot(signal?: AbortSignal): Promise<Snapshot>
  /** Files of databases that were set aside (damaged, of a newer diagd), newest first; a few are kept. */
  setAside(): Promise<readonly string[]>
  /** Commits what waits. Bounded: a disk that does not answer holds it for seconds only. */
  close(): Promise<void>
}
