/** From what was read to what is told: how each step ended, and when by the wall clock. No I/O. */
import type { BootClock } from './clock.ts'
import type { Part } from './parts.ts'
import type { Step, StepStatus } from './types.ts'

/** More than any boot has; what a broken source could bring. */
const MOST_STEPS = 3000

export interface Ending {
  readonly clock: BootClock
  /** The last that is known of the boot. */
  readonly lastMs: number
  /** The boot goes on. */
  readonly live: boolean
  /** All that was to be started is up. */
  readonly finished: boolean
}

/** In the order in which they began; of too many the longest. */
export function toSteps(parts: readonly Part[], ending: Ending): { steps: Step[]; leftOut: number } {
  const longest = parts.toSorted((a, b) => weight(b) - weight(a)).slice(0, MOST_STEPS)
  const steps = longest
    // Of two that begin together the longer one is the outer one.
    .sort((a, b) => a.startedMs - b.startedMs || weight(b) - weight(a))
    .map((part) => stepOf(part, parts, ending))
  return { steps, leftOut: parts.length - steps.length }
}

/** Failed and open ones count as endless. */
const weight = ({ status, startedMs, endedMs }: Part): number =>
  status === 'failed' || endedMs === null ? Number.MAX_VALUE : endedMs - startedMs

function stepOf(part: Part, parts: readonly Part[], ending: Ending): Step {
  const { name, source, detail, parent, startedMs, endedMs } = part
  return {
    name,
    source,
    status: part.status === 'open' ? openStatus(part, parts, ending) : part.status,
    startedMs: thousandths(startedMs),
    endedMs: endedMs === null ? null : thousandths(endedMs),
    durationMs: endedMs === null ? null : thousandths(endedMs - startedMs),
    startedAt: ending.clock.toWall(startedMs),
    endedAt: endedMs === null ? null : ending.clock.toWall(endedMs),
    detail,
    ...(parent === undefined ? {} : { parent }),
  }
}

/** A step that a program forgot to end: after this nobody believes that it still runs. */
const FORGOTTEN_MS = 15 * 60_000

function openStatus(part: Part, parts: readonly Part[], { live, finished, lastMs }: Ending): StepStatus {
  if (!live) return 'never-ended'
  // systemd itself says that it has not ended.
  if (part.source === 'systemd') return 'running'
  const parent = parts.findLast(({ name }) => name === part.parent)
  if (parent && parent.status !== 'open') return 'never-ended'
  return finished && lastMs - part.startedMs > FORGOTTEN_MS ? 'never-ended' : 'running'
}

/** Steps that are part of another one are in its time. */
export function sumOf(steps: readonly Step[]): number {
  const names = new Set(steps.map(({ name }) => name))
  const outer = steps.filter(({ parent }) => parent === undefined || !names.has(parent))
  return thousandths(outer.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0))
}

/** No clock is better than a microsecond. */
const thousandths = (ms: number): number => Math.round(ms * 1000) / 1000
