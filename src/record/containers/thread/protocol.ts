/** What is said between the event loop and the thread that writes the logs. */
import type { RedactorOptions } from '../../../redact/configured.ts'
import type { DocumentName } from '../container.ts'
import type { FloodLimits } from '../frames/flood.ts'

export interface ThreadSettings {
  /** `<state>/containers`. */
  readonly folder: string
  /** Compressed: of one log, and of all containers. */
  readonly maxLogBytes: number
  readonly maxBytes: number
  /** Of containers that are gone, the newest are kept. */
  readonly maxRemoved: number
  readonly flood: FloodLimits
  /** What the thread does now: see `PHASE`. */
  readonly phase: SharedArrayBuffer
}

/** Words of the memory that tells a thread that hangs in a rule from one that waits for a disk. */
export const PHASE = { doing: 0, log: 1, turn: 2, words: 3 } as const
export const DOING = { nothing: 0, masking: 1, disk: 2 } as const

/** What texts are masked with. */
export interface MaskSettings {
  /** undefined when the configuration of the mask cannot be understood: nothing is kept then. */
  readonly options: RedactorOptions | undefined
  readonly rules: string
  readonly values: number
}

/** A log is named by a number while it is open, a piece of shared memory by its own. */
export type Order =
  | { readonly kind: 'mask'; readonly mask: MaskSettings }
  | { readonly kind: 'memory'; readonly memory: number; readonly bytes: SharedArrayBuffer }
  /** `withholdUntil`, seconds: its lines up to then hung the mask. Answered by `opened`. */
  | { readonly kind: 'open'; readonly log: number; readonly folder: string; readonly withholdUntil?: number }
  /** The engine sends from `since` on. Without it, it goes on where it was. */
  | { readonly kind: 'begin'; readonly log: number }
  | { readonly kind: 'bytes'; readonly log: number; readonly memory: number; readonly length: number }
  | { readonly kind: 'end'; readonly log: number; readonly finished: boolean }
  /** Where it goes on; answered by `opened`. */
  | { readonly kind: 'place'; readonly log: number }
  /** A sentence of ours in the log. */
  | { readonly kind: 'mark'; readonly log: number; readonly sentence: string }
  /** All of it becomes a segment. */
  | { readonly kind: 'close'; readonly log: number }
  | {
      readonly kind: 'document'
      readonly folder: string
      readonly name: DocumentName
      readonly text: string
      readonly task: number
    }
  /** All that came is on the disk. */
  | { readonly kind: 'flush'; readonly task: number }
  /** Ends, if nothing is half done. */
  | { readonly kind: 'rest' }

export interface Place {
  /** Of the API of the engine; undefined: from the beginning. */
  readonly since: string | undefined
  readonly sinceWholeSeconds: string | undefined
}

/** Since the last time. */
export interface Counted {
  readonly lines: number
  readonly flood: number
  readonly withheld: number
  readonly ambiguous: number
  /** The oldest, for there was no more room for this log. */
  readonly cap: number
}

export type Said =
  | {
      readonly kind: 'opened'
      readonly log: number
      readonly place: Place
      readonly tornBytes: number
      readonly lostItsPlace: boolean
    }
  | { readonly kind: 'failed'; readonly log: number; readonly reason: string }
  /** The memory is free again. */
  | { readonly kind: 'taken'; readonly memory: number }
  | { readonly kind: 'counted'; readonly log: number; readonly counted: Counted }
  /** What it sends is no log, or is broken: to be asked for anew. */
  | { readonly kind: 'broken'; readonly log: number; readonly reason: string }
  | { readonly kind: 'trouble'; readonly log: number; readonly sentence: string }
  | { readonly kind: 'kept'; readonly keptBytes: number; readonly forgotten: number; readonly cap: number }
  /** undefined once it is well again. */
  | { readonly kind: 'disk'; readonly problem: string | undefined }
  | { readonly kind: 'done'; readonly task: number; readonly problem?: string }
  | { readonly kind: 'rested' }
  | { readonly kind: 'busy' }
