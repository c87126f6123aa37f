/** When the schedule says that a bundle is due: one run at a time, and after a time without diagd exactly one for all that were missed. */
import { createHash } from 'node:crypto'
import { Cron } from 'croner'
import type { UploadSchedule } from '../../config/uploads.ts'
import { isUtc } from '../../utc.ts'
import type { Clock } from '../runner/clock.ts'

export interface Run {
  /** As the cron expression has it, milliseconds since 1970. */
  readonly plannedMs: number
  readonly notBeforeMs: number
  /** It is that late, for nobody was there, or the clock was set; those before it are gone. */
  readonly lateMs: number
}

export interface ScheduleOptions {
  readonly schedule: UploadSchedule
  /** Its part of the jitter is always the same. */
  readonly node: string
  readonly clock: Clock
  /** The last run that was planned, as it was kept; undefined: there was none yet. Asked again while it rejects. */
  readonly last: () => Promise<number | undefined>
  /** Resolves when it is durable; rejects when it is not, and it is tried again. */
  readonly due: (run: Run) => Promise<void>
  /** From where on it counts: durable when it resolves. */
  readonly mark: (timeMs: number) => Promise<void>
}

export interface Schedule {
  /** When the next bundle is sent; undefined: never. */
  readonly nextMs: number | undefined
  close(): Promise<void>
}

/** A mark that is so far ahead was made by a clock that was wrong. */
const AHEAD_MS = 60 * 60 * 1000
const LATE_MS = 60 * 1000
const AGAIN_MS = 60 * 1000

export function createSchedule(options: ScheduleOptions): Schedule {
  const { schedule, node, clock, due, mark } = options
  const cron = cronOf(schedule)
  const jitterMs = jitterOf(node, schedule.jitterMs)
  let lastMs: number | undefined
  let isKnown = false
  /** Since when the mark is not believed. */
  let anewMs: number | undefined
  let nextMs: number | undefined
  let cancel = () => {}
  let isClosed = false
  let looking = Promise.resolve()

  const from = (nowMs: number) => {
    if (lastMs !== undefined && lastMs > nowMs + AHEAD_MS) return (anewMs = Math.min(anewMs ?? nowMs, nowMs))
    anewMs = undefined
    return lastMs
  }
  const look = async () => {
    if (!isKnown) lastMs = await options.last()
    isKnown = true
    const nowMs = clock.now()
    const since = from(nowMs)
    if (since === undefined) {
      await mark(nowMs)
      lastMs = nowMs
    } else {
      const plannedMs = latest(cron, since, nowMs)
      if (plannedMs !== undefined) {
        const lateMs = nowMs - plannedMs
        const isLate = lateMs > LATE_MS
        await due({ plannedMs, notBeforeMs: (isLate ? nowMs : plannedMs) + jitterMs, lateMs: isLate ? lateMs : 0 })
        lastMs = plannedMs
      }
    }
    const planned = cron.nextRun(new Date(Math.max(nowMs, from(nowMs) ?? 0)))?.getTime()
    nextMs = planned === undefined ? undefined : planned + jitterMs
    return planned
  }
  const again = (timeMs: number | undefined) => {
    if (isClosed || timeMs === undefined) return
    cancel = clock.at(timeMs, () => void (looking = turn()))
  }
  const turn = async () => {
    try {
      again(await look())
    } catch {
      again(clock.now() + AGAIN_MS)
    }
  }
  looking = turn()
  return {
    get nextMs() {
      return nextMs
    },
    async close() {
      isClosed = true
      cancel()
      await looking
    },
  }
}

/** Never started: it only computes. @throws Error that says what is wrong with the expression. */
function cronOf({ cron, timeZone }: UploadSchedule): Cron {
  const zone = isUtc(timeZone) ? { utcOffset: 0 } : { timezone: timeZone }
  return new Cron(cron, { ...zone, paused: true, mode: '5-or-6-parts' })
}

/** The same for a node whenever it is asked: a fleet is spread out, and each keeps its place. */
export function jitterOf(node: string, jitterMs: number): number {
  const share = createHash('sha256').update(node).digest().readUIntBE(0, 6) / 2 ** 48
  return Math.floor(share * jitterMs)
}

/** The last run after `sinceMs` that is not in the future. */
function latest(cron: Cron, sinceMs: number, nowMs: number): number | undefined {
  const first = cron.nextRun(new Date(sinceMs))?.getTime()
  if (first === undefined || first > nowMs) return undefined
  // What is exactly then does not count as before it.
  const before = cron.previousRuns(2, new Date(nowMs + 1000)).map((run) => run.getTime())
  return before.find((timeMs) => timeMs <= nowMs && timeMs >= first) ?? first
}
