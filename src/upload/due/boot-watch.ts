/** Tells once that a boot is not complete though it should be: while it waits, systemd says nothing. */
import type { TriggersConfig } from '../../config/upload-triggers.ts'
import type { EventFilter, NewEvent } from '../../record/events/event.ts'
import type { Due } from './due.ts'

export interface BootWatchOptions {
  readonly slowBoot: TriggersConfig['slowBoot']
  readonly now: () => Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>
  readonly bootStartMs: number
  readonly query: (filter: EventFilter) => Promise<readonly unknown[]>
}

export interface BootWatch {
  heard(events: readonly NewEvent[]): void
  look(): Promise<readonly Due[]>
}

export function createBootWatch({ slowBoot, now, bootStartMs, query }: BootWatchOptions): BootWatch {
  const { timeMs, monotonicMs = 0, bootId } = now()
  const upMs = timeMs - bootStartMs
  // A diagd that comes later cannot tell whether the boot was still going on.
  let watching = slowBoot !== undefined && upMs < slowBoot.longerThanMs
  const known = async (typePrefix: string) => (await query({ boot: 0, typePrefix, limit: 1 })).length > 0
  return {
    heard(events) {
      if (events.some((event) => event.type === 'system.started' && event.bootId === bootId)) watching = false
    },
    async look() {
      const nowUpMs = upMs + (now().monotonicMs ?? 0) - monotonicMs
      if (!watching || nowUpMs <= slowBoot!.longerThanMs) return []
      try {
        // Where nothing tells of targets, nobody would tell that the boot is complete.
        const slow = !(await known('system.started')) && (await known('target.reached'))
        if (!watching) return []
        watching = false
        const reason = `the boot is not complete after ${Math.round(nowUpMs / 1000)} s`
        const { timeMs } = now()
        return slow ? [{ trigger: 'slow-boot', reason, timeMs, fromMs: timeMs - nowUpMs }] : []
      } catch {
        // It is asked again.
        return []
      }
    },
  }
}
