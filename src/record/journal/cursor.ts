/** Cursors of the journal, and what the follower keeps beside one. */

/** Written by journald as `s=…;i=…;b=…;m=…;t=…;x=…`. */
export interface JournalCursor {
  /** Of the one numbering that `number` belongs to. */
  readonly numbering: string
  /** Entries of one numbering are counted without gaps. */
  readonly number: number
  /** Without dashes. */
  readonly bootId: string
  readonly monotonicMs: number
  readonly timeMs: number
  /** What tells two entries of the same moment apart. */
  readonly hash: string
}

/** Where the follower goes on. */
export interface JournalState {
  /** Of the last entry that was looked at. */
  readonly cursor?: string
  /** The boot of that entry said that it goes down. */
  readonly goingDown?: boolean
  /** Boots that were seen to begin, the newest last; at most 8. */
  readonly boots?: readonly string[]
  /** There was no journal, and it was said. */
  readonly absent?: boolean
}

const CURSOR = /^s=(\w+);i=(\w+);b=(\w+);m=(\w+);t=(\w+);x=(\w+)/

export function parseCursor(text: string): JournalCursor | undefined {
  const [, numbering, number, bootId, monotonicUs, timeUs, hash] = CURSOR.exec(text) ?? []
  if (hash === undefined) return undefined
  return {
    numbering: numbering!,
    number: Number.parseInt(number!, 16),
    bootId: bootId!,
    monotonicMs: Number.parseInt(monotonicUs!, 16) / 1000,
    timeMs: Number.parseInt(timeUs!, 16) / 1000,
    hash,
  }
}

/** The same entry, though journald numbers it anew when it moves from /run to /var. */
export function isSameEntry(one: JournalCursor, other: JournalCursor): boolean {
  const { bootId, monotonicMs, timeMs, hash } = one
  return bootId === other.bootId && monotonicMs === other.monotonicMs && timeMs === other.timeMs && hash === other.hash
}

export function decodeState(value: string | undefined): JournalState {
  if (value === undefined) return {}
  try {
    const state = JSON.parse(value) as JournalState
    return typeof state === 'object' && state !== null ? state : {}
  } catch {
    return {}
  }
}

export function encodeState(state: JournalState): string {
  return JSON.stringify(state)
}
