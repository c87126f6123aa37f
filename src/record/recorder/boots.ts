/** Which boot a moment of the wall clock belongs to, for logs that do not say. */
import { readFileSync } from 'node:fs'
import { monotonicNowMs, uptimeMs } from './clock.ts'
import type { EventStore } from '../events/event.ts'

/** Of a boot that nobody knows the id of. */
export const UNKNOWN_BOOT = '00000000-0000-0000-0000-000000000000'
/** A boot is a little older than the first that is known of it. Not much: the one before may have ended just then. */
const SLACK_MS = 1000
/** The list of boots does not change while diagd runs, but while it reads the journal the first time. */
const FRESH_MS = 30_000
/** USER_HZ, the same on every Linux. */
const TICKS_PER_SECOND = 100

export function bootFinder(
  store: Pick<EventStore, 'boots'>,
  bootId: string,
  bootStartMs = startOfThisBootMs(),
): (timeMs: number) => Promise<string> {
  let boots: { bootId: string; firstMs: number }[] = []
  let readMs = -Infinity
  return async (timeMs) => {
    if (timeMs >= bootStartMs - SLACK_MS) return bootId
    if (performance.now() - readMs > FRESH_MS) {
      boots = (await store.boots())
        .filter((boot) => boot.bootId !== bootId && boot.bootId !== UNKNOWN_BOOT)
        .sort((a, b) => b.firstMs - a.firstMs)
      readMs = performance.now()
    }
    return boots.find(({ firstMs }) => firstMs - SLACK_MS <= timeMs)?.bootId ?? UNKNOWN_BOOT
  }
}

/** When the first process of this machine or container started, milliseconds since 1970. */
export function startOfThisBootMs(): number {
  const bootMs = Date.now() - (uptimeMs() ?? monotonicNowMs())
  try {
    // The name of the process, in parentheses, can hold anything; the start is the 20th word after it.
    const words = readFileSync('/proc/1/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return bootMs + (Number(words[19]) / TICKS_PER_SECOND) * 1000
  } catch {
    return bootMs
  }
}
