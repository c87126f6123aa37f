/** Steps of units: starts that belong together are one. No I/O. */
import type { Attempt, Part, UnitHistory } from './parts.ts'

export function unitParts(histories: Iterable<UnitHistory>): Part[] {
  return [...histories].flatMap((history) => groups(history.attempts).map((group) => partOf(history, group)))
}

interface Group {
  readonly attempts: Attempt[]
  /** When the unit was told to stop, if it is started again after that. */
  readonly stoppedAt: number | undefined
}

/** A start that follows a failure is another try; what is stopped and started, or runs again, is a step of its own. */
function groups(attempts: readonly Attempt[]): Group[] {
  const all: Group[] = []
  let before: Attempt | undefined
  for (const attempt of attempts) {
    if (before?.failedMs !== undefined) all.at(-1)!.attempts.push(attempt)
    else all.push({ attempts: [attempt], stoppedAt: before?.stoppingMs })
    before = attempt
  }
  return all
}

function partOf({ unit, restarts = 0 }: UnitHistory, { attempts, stoppedAt }: Group): Part {
  const last = attempts.at(-1)!
  const startedMs = stoppedAt ?? attempts[0]!.startedMs
  const starts = attempts.length > 1 ? { starts: attempts.length } : {}
  const common = { name: unit, source: 'systemd', startedMs, ...starts } as const
  const failures = attempts.filter(({ failedMs }) => failedMs !== undefined)
  if (last.failedMs !== undefined) {
    const again = stoppedAt === undefined ? '' : 'stopped and started again: '
    return { ...common, status: 'failed', endedMs: last.failedMs, detail: again + failureText(failures, last) }
  }
  if (last.upMs === undefined) return { ...common, status: 'open', endedMs: last.stoppedMs ?? null, detail: '' }
  const detail = restartText(failures, restarts, stoppedAt !== undefined)
  return { ...common, status: detail === '' ? 'done' : 'restarted', endedMs: last.upMs, detail }
}

/** Up for longer than this is a crash, and no failed start. */
const CRASH_MS = 10_000

function failureText(failures: readonly Attempt[], last: Attempt): string {
  const why = last.failure ?? 'failed'
  if (failures.length > 1) return `${failures.length} starts, all failed: ${reasons(failures)}`
  const upFor = last.upMs === undefined ? 0 : last.failedMs! - last.upMs
  return upFor > CRASH_MS ? `up for ${Math.round(upFor / 1000)} s, then: ${why}` : why
}

function restartText(failures: readonly Attempt[], restarts: number, stopped: boolean): string {
  if (failures.length > 0) return `${failures.length} failed starts before it: ${reasons(failures)}`
  if (restarts > 0) return `restarted ${restarts} times`
  return stopped ? 'stopped and started again' : ''
}

function reasons(failures: readonly Attempt[]): string {
  return [...new Set(failures.map(({ failure }) => failure ?? 'failed'))].slice(0, 3).join(', ')
}
