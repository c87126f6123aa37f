/** What the readers of the sources hand to the builder. Types only. */
import type { StepSource, StepStatus } from './types.ts'

/** A step before it is known when the boot was over. Times: CLOCK_MONOTONIC, milliseconds. */
export interface Part {
  readonly name: string
  readonly source: StepSource
  /** `open`: begun, and nobody said that it ended. */
  readonly status: Exclude<StepStatus, 'running' | 'never-ended'> | 'open'
  readonly startedMs: number
  readonly endedMs: number | null
  readonly detail: string
  readonly parent?: string
  /** Starts that it took, when they were several: it was not busy all the time. */
  readonly starts?: number
}

/** One start of a unit, and what became of it. */
export interface Attempt {
  startedMs: number
  /** When it was up; for what runs once, when it had run. */
  upMs?: number
  failedMs?: number
  /** `exit status 203/EXEC`, `dependency`, `timeout`: why it failed. */
  failure?: string
  /** When somebody stopped it, and when it was down. */
  stoppingMs?: number
  stoppedMs?: number
}

/** All that is known of a unit in this boot. */
export interface UnitHistory {
  readonly unit: string
  readonly attempts: readonly Attempt[]
  /** Starts before those, of which only their number is known. */
  readonly restarts?: number
}
