/** Lines that may be of a private key whose first line is missing: its last one tells, which may not be there yet. */
import { setTimeout as delay } from 'node:timers/promises'
import { asContext, type RawLine } from '../../sources/logs/line.ts'

/** Whoever follows a log waits for a line so long at most. */
const HOLD_MS = 1000
/** The mask looks back no further. */
const HOLD_CHARACTERS = 24 * 1024

/** Letters that end a line, with a capital: no hexadecimal number. */
const PART = /(?:^|[^A-Za-z0-9+/])(?=[a-z0-9+/]*[A-Z])[A-Za-z0-9+/]{40,}[^A-Za-z0-9+/]{0,8}$/

/** How many lines there are before those at the end that may go on; all of them where the first line of their key is among what stands before. */
export function linesBeforeTorn(lines: readonly RawLine[], before: readonly RawLine[]): number {
  let characters = 0
  const last = lines.findLastIndex(({ message, context }) => {
    characters += message.length
    return context === true || characters > HOLD_CHARACTERS || !PART.test(message)
  })
  const from = last + 1
  if (from === lines.length) return from
  const marker = [...before, ...lines.slice(0, from)].findLast(({ message }) => MARKER.test(message))
  return marker?.message.includes('-----BEGIN') || characters > HOLD_CHARACTERS ? lines.length : from
}

const MARKER = /-----(?:BEGIN|END) /

/** For the mask to look at behind lines that may go on in them. */
export function firstOf(lines: readonly RawLine[]): RawLine[] {
  let characters = 0
  const end = lines.findIndex(({ message }) => (characters += message.length) > HOLD_CHARACTERS)
  return lines.slice(0, end < 0 ? undefined : end).map(asContext)
}

/** `late`: since `sinceMs` (of `performance.now`) a line was held for as long as it may be. */
export async function orLate<T>(next: Promise<T>, sinceMs: number | undefined): Promise<T | 'late'> {
  if (sinceMs === undefined) return next
  const waited = new AbortController()
  const left = Math.max(0, sinceMs + HOLD_MS - performance.now())
  try {
    return await Promise.race([next, delay(left, 'late' as const, { signal: waited.signal })])
  } finally {
    waited.abort()
  }
}
