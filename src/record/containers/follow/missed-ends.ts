/**
 * Ends of containers that no engine tells of any more: they ended while diagd or their engine was away, and the engine remembers its last 256 events, or
 * those since it was started. The document of a container tells when it ended, and how.
 *
 * All before the place of an engine on /events is told, so what ended after it is not; the event of such an end moves the place like any other, and is
 * stored together with it. So each is told once.
 */
import type { ContainerFacts } from '../container.ts'
import type { ParsedEvent } from './engine-event.ts'

/** An engine tells of an end some time after it: it waits up to 2 s for the last words. */
export const TELLS_WITHIN_MS = 3000

export interface MissedSince {
  /** Place on /events: what the engine remembers after it, it tells. */
  readonly cursor: string
  /** There is no place yet: then nothing before it was told. */
  readonly isFirst: boolean
  readonly bootStartMs: number
  /** When they were known last. */
  readonly wasRunning: ReadonlySet<string>
}

/** Whether it ended and nobody told so, as far as is known here. */
export function mayBeMissed({ id, state, finishedMs = -Infinity }: ContainerFacts, since: MissedSince): boolean {
  if (state !== 'exited' && state !== 'removed') return false
  // Of a boot before, only what was known to run then.
  if (!since.wasRunning.has(id) && finishedMs < since.bootStartMs) return false
  return since.isFirst ? finishedMs > -Infinity : finishedMs > millisecondsOf(since.cursor)
}

/** Whether the engine told of that end, or tells of it with what it remembers; undefined: it is none of these events. */
export function isTold(facts: ContainerFacts, events: readonly ParsedEvent[], since: MissedSince): boolean | undefined {
  const { id, finishedMs = Infinity } = facts
  const end = events.find((event) => event.action === 'die' && event.id === id && event.timeMs >= finishedMs)
  return end && (!since.isFirst || end.cursor > since.cursor)
}

/** As the engine would have told it. */
export function endEvent(facts: ContainerFacts, since: MissedSince): ParsedEvent {
  const { id, name, image, exitCode, oomKilled, finishedMs = 0 } = facts
  const code = exitCode === undefined ? {} : { exitCode: String(exitCode) }
  const starved = oomKilled ? { outOfMemory: 'true' } : {}
  return {
    about: 'container',
    action: 'die',
    id,
    attributes: { name, image, ...code, ...starved, toldBy: 'inspect' },
    timeMs: finishedMs,
    cursor: since.isFirst ? since.cursor : cursorAt(finishedMs),
  }
}

/** In the form of the API. */
export function cursorAt(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000)
  return `${seconds}.${String(Math.round((timeMs - seconds * 1000) * 1e6)).padStart(9, '0')}`
}

function millisecondsOf(cursor: string): number {
  return Number(cursor) * 1000
}
