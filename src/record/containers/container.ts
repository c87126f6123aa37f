/**
 * The contract of kept containers: what is kept of each, on the disk and for the rest of diagd. Types only.
 *
 *     engine ─events, inspect→ what happened → events.db, state.json, inspect.json
 *       └ log frames → once each → flood limit → whole lines → mask → tail → segments → (cap: the oldest go)
 *
 * One folder for each container, `<state>/containers/<engine label>/<id>/`:
 *
 *     state.json     what is known of it, masked
 *     inspect.json   the engine's own document, the newest there was, masked
 *     log-<n>.gz     segments: members of gzip, so that zcat reads them; <n> is the number of the first one
 *     tail-0 tail-1  what is not in a segment yet, and where the log goes on; one of the two is in force
 *
 * Everything in it can be read by any process at any time, and is written by one thread.
 *
 * `followContainers` (tail.ts) is what the daemon starts, `createKept` (kept.ts) what everybody else asks. A segment may be spliced into an archive as it
 * is when its `rules` are `rulesVersion` of today (follow/secrets.ts) and `KnownValues.unknownThen(values, today)` is empty (keep/known-values.ts).
 */
import type { KeptContainer } from '../../collector.ts'
import type { NewEvent } from '../events/event.ts'

export type {
  ContainerFacts,
  ContainerState,
  ContainerUse,
  HealthCheck,
  KeptContainer,
  LogFacts,
} from '../../collector.ts'

/** A stretch of whole lines of a log, deflated when it was stored. */
interface KeptSegment extends SegmentFacts {
  /** Raw deflate without a final block, ended by a full flush: spliced between others as it is (docs/decisions/0001). */
  readonly bytes: Buffer
}

/** The header of a segment. */
export interface SegmentFacts {
  /** Of this log, from 0 on, without gaps but for what the cap took. */
  readonly number: number
  /** What it was masked with: rules, names and patterns of the configuration. Another text, another mask. */
  readonly rules: string
  /** How many secret values were known when it was masked: see `KnownValues`. */
  readonly values: number
  readonly first: string
  readonly last: string
  readonly lines: number
  readonly lengthBytes: number
  readonly deflatedBytes: number
  /** Of the deflated bytes: whether they are what was written shows without inflating them. */
  readonly deflatedCrc32: number
  /** Of the text. */
  readonly crc32: number
  readonly sha256: string
  /** Of this log before this segment: lines that were stored, and lines that were not. */
  readonly before: {
    readonly lines: number
    readonly flood: number
    readonly withheld: number
    readonly ambiguous: number
  }
}

/** Of a log in its order: text is what is in no segment (markers and the newest lines), whole lines, masked. */
export type LogPiece =
  | { readonly segment: KeptSegment }
  /** `place`: with the last piece, where it is known; then there may be no text. */
  | { readonly text: Buffer; readonly lines: number; readonly place?: LogPlace }

/** Where a log goes on: the newest frames that were read of it. */
export interface LogPlace {
  /** See `FrameMemory`. */
  readonly frames: Uint32Array
  readonly highestSeconds: number
}

/** What the collector, `GET /containers` and `GET /logs` ask: needs no daemon, only the state folder. */
export interface KeptContainers {
  /** Those that still exist first, the newest first. */
  list(): Promise<readonly KeptContainer[]>
  /**
   * Its log as one moment left it, the oldest first: at most a segment in memory. `since` and `until` (as in the lines) leave out
   * segments that lie outside; the lines at the edges may be older or newer. Ends early when the room is needed meanwhile.
   */
  log(
    container: Pick<KeptContainer, 'folder'>,
    span?: { since?: string; until?: string },
  ): AsyncGenerator<LogPiece, void, void>
  /** The masked document; undefined when there is none. */
  document(container: Pick<KeptContainer, 'folder'>, name: DocumentName): Promise<Buffer | undefined>
}

export type DocumentName = 'state.json' | 'inspect.json'

/** `waiting`: it is not there, does not run, or must not be asked; looked for again. `hung`: it takes connections and answers none. */
export type EngineState = 'waiting' | 'connecting' | 'following' | 'hung' | 'lost'

export interface TailHealth {
  readonly engines: readonly {
    /** undefined as long as it was never asked. */
    readonly label?: string
    readonly socket: string
    readonly state: EngineState
    readonly sinceMs: number
    /** For people. */
    readonly problem?: string
    readonly containers: number
  }[]
  /** Since diagd started, of all containers: `cap` of them were kept until the room was needed. */
  readonly lines: number
  readonly dropped: KeptContainer['log']['dropped']
  /** See `LogFacts`; since diagd started. */
  readonly ambiguous: number
  /** Events that found no room while the store was away. */
  readonly droppedEvents: number
  /** On the disk. */
  readonly keptBytes: number
  /** For people: the disk is full, lines cannot be masked. */
  readonly problems: readonly string[]
}

/** Follows all engines, for as long as diagd runs. */
export interface ContainerTail {
  /** Resolves when all that the engines had handed over by now is on the disk and can be read; a few seconds at most. */
  flush(): Promise<void>
  /** What is recorded: the kernel's word that a container ran out of memory reaches what is kept of it. Never throws. */
  heard(events: readonly NewEvent[]): void
  health(): TailHealth
  close(): Promise<void>
}
