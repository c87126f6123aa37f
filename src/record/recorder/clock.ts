/** The clocks of the machine side by side: tells when the wall clock was set, and when the machine slept. */
import { readFileSync } from 'node:fs'
import { ownType } from '../classify/own.ts'
import type { NewEvent } from '../events/event.ts'

/** Milliseconds of each clock at one moment. */
export interface Clocks {
  /** Since 1970; can be set. */
  readonly wallMs: number
  /** Since the boot, without sleep: CLOCK_MONOTONIC. */
  readonly monotonicMs: number
  /** Since the boot, with sleep: CLOCK_BOOTTIME, in hundredths of a second; undefined without /proc. */
  readonly bootMs: number | undefined
}

export interface ClockWatch {
  close(): void
}

/** Two reads of a file of 20 bytes a minute cost nothing; a jump is still told within 10 s. */
const EVERY_MS = 10_000
/** Slewing moves the clock by at most 5 ms in that time, and a leap second by one second. */
const JUMP_MS = 2000
const SLEEP_MS = 2000

/** Looks every 10 s, and keeps no process alive for that. */
export function watchClock(
  bootId: string,
  tell: (event: NewEvent) => void,
  read: () => Clocks = readClocks,
  everyMs = EVERY_MS,
): ClockWatch {
  let before = read()
  const look = () => {
    const now = read()
    for (const event of compareClocks(before, now)) tell({ ...event, bootId })
    before = now
  }
  const timer = setInterval(look, everyMs).unref()
  return { close: () => clearInterval(timer) }
}

/** What happened to the clocks between two moments. */
export function compareClocks(before: Clocks, now: Clocks): Omit<NewEvent, 'bootId'>[] {
  const ranMs = now.monotonicMs - before.monotonicMs
  const sleptMs =
    now.bootMs === undefined || before.bootMs === undefined ? 0 : Math.max(0, now.bootMs - before.bootMs - ranMs)
  const jumpMs = now.wallMs - before.wallMs - ranMs - sleptMs
  const moment = { timeMs: now.wallMs, monotonicMs: now.monotonicMs, subject: '' }
  const events: Omit<NewEvent, 'bootId'>[] = []
  if (sleptMs >= SLEEP_MS) {
    const message = `the machine slept for ${seconds(sleptMs)}`
    events.push({ ...moment, ...ownType('clock.slept'), message, detail: { sleptMs: Math.round(sleptMs) } })
  }
  if (Math.abs(jumpMs) >= JUMP_MS) {
    const name = jumpMs < 0 ? 'clock.set-back' : 'clock.jumped'
    const direction = jumpMs < 0 ? 'back' : 'forward'
    const message = `the clock was set ${direction} by ${seconds(Math.abs(jumpMs))}, to ${iso(now.wallMs)}`
    const detail = { jumpMs: Math.round(jumpMs), before: iso(now.wallMs - jumpMs), after: iso(now.wallMs) }
    events.push({ ...moment, ...ownType(name), message, detail })
  }
  return events
}

export function readClocks(): Clocks {
  const monotonicMs = monotonicNowMs()
  return { wallMs: Date.now(), monotonicMs, bootMs: uptimeMs() }
}

/** CLOCK_MONOTONIC, which the journal and the kernel count by, too. */
export function monotonicNowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}

/** CLOCK_BOOTTIME: since the boot, with sleep; undefined without /proc. */
export function uptimeMs(): number | undefined {
  try {
    return Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000)
  } catch {
    return undefined
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
