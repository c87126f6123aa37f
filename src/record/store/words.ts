/** What the store itself has to tell, as events. */
import type { NewEvent } from '../events/event.ts'
import type { SetAside } from './protocol.ts'

/** While events were not taken. */
export interface Pause {
  readonly sinceMs: number
  readonly reason: string
  readonly refusedEvents: number
}

export function resumedEvent({ sinceMs, reason, refusedEvents }: Pause, bootId: string): NewEvent {
  const from = new Date(sinceMs).toISOString()
  const to = new Date().toISOString()
  return own(bootId, {
    type: 'diagd.recorder.resumed',
    level: 'warning',
    message: `Events were not recorded from ${from} to ${to}: ${reason}. Events refused meanwhile: ${refusedEvents}`,
    detail: { from, to, reason, refusedEvents },
  })
}

export function setAsideEvent({ path, why, message }: SetAside, bootId: string): NewEvent {
  return own(bootId, {
    type: `diagd.recorder.${why}`,
    level: why === 'damaged' ? 'critical' : 'error',
    message: setAsideText({ path, why, message }),
    detail: { path, why },
  })
}

export function setAsideText({ path, why, message }: SetAside): string {
  if (why === 'removed') return `The database of events (${path}): ${message}`
  return `The database of events was set aside as ${path}, and a new one was begun: ${message}`
}

function own(bootId: string, event: Pick<NewEvent, 'type' | 'level' | 'message'> & { detail: object }): NewEvent {
  const now = { timeMs: Date.now(), monotonicMs: Number(process.hrtime.bigint()) / 1e6 }
  return { ...event, ...now, bootId, source: 'diagd', subject: 'events.db', detail: { ...event.detail } }
}
