/** What the follower of the journal keeps beside the cursor of an entry. */

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
