/** Cursors of the journal: where an entry stands, and whether two of them are the same entry. */

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
