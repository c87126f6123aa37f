/** Recorded events on the axis of one boot. No I/O. */
import type { BootClock } from './clock.ts'
import type { ReportedEvent } from './types.ts'

/** Those of the boot, in the order in which they happened. Without a time of the monotonic clock the wall clock places them. */
export function timedEvents(events: readonly ReportedEvent[], bootId: string, clock: BootClock, originMs: number) {
  return events
    .filter((event) => plain(event.bootId) === plain(bootId))
    .flatMap((event) => {
      const atMs = event.monotonicMs === undefined ? clock.toMonotonic(event.timeMs) : event.monotonicMs - originMs
      return atMs === undefined ? [] : [{ event, atMs }]
    })
    .sort((a, b) => a.atMs - b.atMs)
}

const plain = (bootId: string): string => bootId.replaceAll('-', '')
