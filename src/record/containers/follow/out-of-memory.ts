/**
 * Containers that ran out of memory by the word of the kernel. An engine may miss it: on control groups of version 1 it hears nothing when the group goes
 * together with the process that was killed. The kernel's log names the group, some milliseconds to seconds later.
 */
import type { NewEvent } from '../../events/event.ts'

/** A kernel that kills in more containers than this has other troubles. */
const MOST_REMEMBERED = 1000
/** What it says in a line of its own, after it chose whom to kill. */
const EVENT = 'kernel.oom'
/** `docker-ID.scope`, `libpod-ID`, `cri-containerd-ID.scope`, or the id alone. What watches over a container (conmon) is not in it. */
const CONTAINER = /^(?!.*conmon)(?:[a-z][\w.-]*[-_])?([0-9a-f]{64})(?:\.scope)?$/
/** A container has its first process a little before its engine says that it runs. */
const EARLY_MS = 1000

export class OutOfMemory {
  /** By id: when the kernel killed something in it last, milliseconds since 1970. */
  readonly #killedMs = new Map<string, number>()

  /** Ids of those that it tells something new of. */
  heard(events: readonly NewEvent[]): ReadonlySet<string> {
    const news = new Set<string>()
    for (const { source, type, subject, detail, timeMs } of events) {
      if (source !== 'kernel' || type !== EVENT) continue
      // The subject of an event is cut where it is long, and the innermost container stands last.
      for (const id of idsIn(typeof detail?.group === 'string' ? detail.group : subject)) {
        const known = this.#killedMs.get(id) ?? -Infinity
        if (timeMs <= known) continue
        this.#killedMs.delete(id)
        this.#killedMs.set(id, timeMs)
        news.add(id)
      }
    }
    for (const id of this.#killedMs.keys()) if (this.#killedMs.size > MOST_REMEMBERED) this.#killedMs.delete(id)
    return news
  }

  /** Whether it was in the run that began then. `endedMs`: when the run before had ended, where that is known; that may be a tenth of a second before. */
  inRun(id: string, startedMs: number | undefined, endedMs = -Infinity): boolean {
    const killedMs = this.#killedMs.get(id)
    if (killedMs === undefined || startedMs === undefined) return false
    return killedMs > Math.max(startedMs - EARLY_MS, (endedMs + startedMs) / 2)
  }
}

/** Of `/docker/A/docker/B` both: what is killed in the inner one is killed in the outer one. */
function idsIn(group: string): string[] {
  return group.split('/').flatMap((name) => CONTAINER.exec(name)?.[1] ?? [])
}
