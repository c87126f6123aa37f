/** What happened to time between two samples. */
import type { Before } from './difference.ts'
import type { Mark, Reading } from './metric.ts'

/** NTP moves the clock by at most 5 ms in 10 s; a leap second is one second. CLOCK_BOOTTIME is read in hundredths. */
const CLOCK_SET_MS = 1000
const SUSPENDED_MS = 1000
/** A sample that is late by half an interval is no longer what the one before it lets one expect. */
const LATE_INTERVALS = 1.5

export function marksBetween(before: Before | undefined, now: Reading, intervalMs: number): Mark[] {
  if (before === undefined) return [mark('diagd-started', now.timeMs, now.timeMs, 'the first sample')]
  if (before.bootId !== now.bootId) {
    return [mark('boot', before.timeMs, now.timeMs, `the machine was started anew: ${apart(before, now)}`)]
  }
  const started = before.rows
    ? []
    : [mark('diagd-started', before.timeMs, now.timeMs, `diagd was started anew: ${apart(before, now)}`)]
  return [
    ...started,
    ...suspended(before, now),
    ...clockSet(before, now),
    ...(before.rows ? late(before, now, intervalMs) : []),
  ]
}

function suspended(before: Before, now: Reading): Mark[] {
  const sleptMs = now.boottimeMs - before.boottimeMs - (now.monotonicMs - before.monotonicMs)
  if (sleptMs < SUSPENDED_MS) return []
  return [mark('suspended', before.timeMs, now.timeMs, `the machine was suspended for ${seconds(sleptMs)}`)]
}

function clockSet(before: Before, now: Reading): Mark[] {
  const expectedMs = before.timeMs + now.boottimeMs - before.boottimeMs
  const jumpMs = now.timeMs - expectedMs
  if (Math.abs(jumpMs) <= CLOCK_SET_MS) return []
  const direction = jumpMs < 0 ? 'back' : 'forward'
  return [mark('clock-set', expectedMs, now.timeMs, `the clock was set ${direction} by ${seconds(Math.abs(jumpMs))}`)]
}

function late(before: Before, now: Reading, intervalMs: number): Mark[] {
  const elapsedMs = now.monotonicMs - before.monotonicMs
  if (elapsedMs <= intervalMs * LATE_INTERVALS) return []
  const message = `${seconds(elapsedMs)} from one sample to the next, not ${seconds(intervalMs)}`
  return [mark('late', before.timeMs, now.timeMs, message)]
}

function mark(kind: Mark['kind'], fromMs: number, toMs: number, message: string): Mark {
  return { kind, fromMs: Math.round(fromMs), toMs: Math.round(toMs), message }
}

/** By a clock that may have been set in between. */
function apart(before: Before, now: Reading): string {
  return `${seconds(now.timeMs - before.timeMs)} without samples, by the clock`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
