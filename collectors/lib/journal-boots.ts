/** What `journalctl --list-boots --utc` says. No I/O. */
import type { Interval } from '../../src/collector.ts'

export interface Boot {
  /** 0 is the newest in the journal, -1 the one before it. */
  readonly offset: number
  readonly id: string
  readonly firstMs: number
  readonly lastMs: number
}

/** Both layouts: one line per boot with a dash between the times, and since systemd 252 a table with a heading. */
export function parseBoots(listBoots: string): Boot[] {
  return listBoots.split('\n').flatMap((line) => {
    const [, offset, id] = /^\s*(-?\d+)\s+([0-9a-f]{32})\s/.exec(line) ?? []
    const times = [...line.matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)]
    const [firstMs, lastMs] = times.map(([, day, time]) => Date.parse(`${day}T${time}Z`))
    if (id === undefined || firstMs === undefined || lastMs === undefined) return []
    return [{ offset: Number(offset), id, firstMs, lastMs }]
  })
}

/** Times are listed in whole seconds: a boot ends up to a second after what is printed. */
const ROUNDING_MS = 1000

export const bootsWithin = (boots: readonly Boot[], intervals: readonly Interval[]): Boot[] =>
  boots.filter(({ firstMs, lastMs }) =>
    intervals.some(({ sinceMs, untilMs }) => firstMs <= untilMs && lastMs + ROUNDING_MS >= sinceMs),
  )

/** The newest boot of the journal that is not this one. */
export function previousBoot(boots: readonly Boot[], currentId: string): Boot | undefined {
  const current = currentId.replaceAll('-', '')
  return boots.filter(({ id }) => id !== current).sort((a, b) => b.lastMs - a.lastMs)[0]
}
