/** What became of each unit, from the journal; for the present boot systemd's own times make it exact, and whole. No I/O. */
import { parseShow, type Properties } from '../systemd-show.ts'
import type { JournalLine } from './journal.ts'
import type { Attempt, UnitHistory } from './parts.ts'

/** What to ask `systemctl show` of every unit. */
export const unitProperties = [
  'Id',
  'ActiveState',
  'InactiveExitTimestampMonotonic',
  'ActiveEnterTimestampMonotonic',
  'InactiveEnterTimestampMonotonic',
  'Result',
  'ExecMainStatus',
  'NRestarts',
  'Requires',
  'Requisite',
  'BindsTo',
  'PartOf',
]

/** By unit, of what happened before `untilMs`: when a machine shuts down, everything is stopped. */
export function unitHistories(lines: readonly JournalLine[], untilMs: number): Map<string, UnitHistory> {
  const histories = new Map<string, UnitHistory>()
  for (const line of lines) {
    const unit = line.field('UNIT')
    if (!isShown(unit) || line.kind === undefined || line.monotonicMs >= untilMs) continue
    if (!histories.has(unit)) histories.set(unit, { unit, attempts: [] })
    note(histories.get(unit)!.attempts as Attempt[], line)
  }
  return histories
}

/** `originMs` is 0 of the journal's times, by the clock of systemd; `untilMs` as above. */
export function withLiveUnits(
  histories: ReadonlyMap<string, UnitHistory>,
  show: string,
  { originMs, untilMs }: { readonly originMs: number; readonly untilMs: number },
): Map<string, UnitHistory> {
  const all = new Map(histories)
  for (const properties of parseShow(show)) {
    const unit = properties['Id'] ?? ''
    const live = liveAttempt(properties, originMs, untilMs)
    if (!isShown(unit) || !live || live.startedMs < 0 || live.startedMs >= untilMs) continue
    const known = all.get(unit)
    if (!known) all.set(unit, { unit, attempts: [live], restarts: Number(properties['NRestarts'] ?? 0) })
    else all.set(unit, { unit, attempts: refined(known.attempts, live) })
  }
  return all
}

/** Mounts of containers come and go with each of them; slices, scopes and sockets take no time. */
function isShown(unit: string): boolean {
  return (
    /\.(?:service|mount|swap|target)$/.test(unit) && !/^(?:var-lib-(?:docker|containers|containerd)|run-)/.test(unit)
  )
}

function note(attempts: Attempt[], line: JournalLine): void {
  const current = attempts.at(-1)
  const { monotonicMs: now } = line
  const isOver = !current || isDown(current) || current.upMs !== undefined
  switch (line.kind) {
    case 'starting':
      if (isOver) attempts.push({ startedMs: now })
      return
    case 'started':
      if (isOver) attempts.push({ startedMs: now, upMs: now })
      else current.upMs = now
      return
    case 'startFailed':
      if (!current || current.stoppedMs !== undefined)
        attempts.push(failed({ startedMs: now }, line, line.field('JOB_RESULT')))
      else if (current.failedMs === undefined) failed(current, line, current.failure ?? line.field('JOB_RESULT'))
      return
    default:
      if (current) noteEnd(current, line)
  }
}

function noteEnd(current: Attempt, line: JournalLine): void {
  switch (line.kind) {
    case 'processExited':
      current.failure = exitText(line)
      return
    case 'unitFailed':
      // By being stopped: 143 is what SIGTERM leaves of many programs.
      if (current.stoppingMs === undefined) failed(current, line, resultText(current, line))
      else if (!isDown(current)) current.stoppedMs = line.monotonicMs
      return
    case 'restartScheduled':
      // Without a failure: it just ended, and is kept alive.
      if (!isDown(current)) failed(current, line, current.failure ?? 'exited by itself')
      return
    case 'stopping':
      current.stoppingMs = line.monotonicMs
      return
    case 'stopped':
      if (isDown(current)) return
      current.stoppingMs ??= line.monotonicMs
      current.stoppedMs = line.monotonicMs
      return
    default:
  }
}

/** What systemd saw, where that says more than how the process ended: `oom-kill (killed by 9)`. */
function resultText({ failure }: Attempt, line: JournalLine): string {
  const result = line.field('UNIT_RESULT')
  if (failure === undefined) return result
  return ['', 'exit-code', 'signal'].includes(result) ? failure : `${result} (${failure})`
}

const isDown = ({ failedMs, stoppedMs }: Attempt): boolean => failedMs !== undefined || stoppedMs !== undefined

function failed(attempt: Attempt, { monotonicMs }: JournalLine, failure: string): Attempt {
  attempt.failedMs = monotonicMs
  attempt.failure = failure
  return attempt
}

function exitText(line: JournalLine): string {
  const status = line.field('EXIT_STATUS')
  if (line.field('EXIT_CODE') !== 'exited') return `killed by ${SIGNALS[status] ?? `signal ${status}`}`
  return `exit status ${exitName(status)}`
}

/** Those that end most services. */
const SIGNALS: Readonly<Record<string, string>> = { '6': 'SIGABRT', '9': 'SIGKILL', '11': 'SIGSEGV', '15': 'SIGTERM' }

function exitName(status: string): string {
  return { '203': '203/EXEC', '127': '127, not found', '126': '126, not executable' }[status] ?? status
}

/** systemd remembers the last start of each unit. */
function liveAttempt(properties: Properties, originMs: number, untilMs: number): Attempt | undefined {
  const at = (key: string) => Number(properties[key] ?? 0) / 1000 - originMs
  const startedMs = at('InactiveExitTimestampMonotonic')
  if (!Number(properties['InactiveExitTimestampMonotonic'])) return undefined
  const [upMs, downMs] = [at('ActiveEnterTimestampMonotonic'), at('InactiveEnterTimestampMonotonic')]
  const result = properties['Result'] ?? 'success'
  const status = properties['ExecMainStatus'] ?? '0'
  const attempt: Attempt = { startedMs }
  if (upMs >= startedMs) attempt.upMs = upMs
  if (downMs < startedMs || downMs >= untilMs || ['activating', 'active'].includes(properties['ActiveState'] ?? ''))
    return attempt
  if (result === 'success') return { ...attempt, upMs: attempt.upMs ?? downMs }
  return { ...attempt, failedMs: downMs, failure: status === '0' ? result : `exit status ${exitName(status)}` }
}

/** A line of the journal is late by what systemd took to write it. */
const SAME_MS = 2000

function refined(attempts: readonly Attempt[], live: Attempt): Attempt[] {
  const last = attempts.at(-1)
  if (!last || live.startedMs > last.startedMs + SAME_MS) return [...attempts, live]
  const isSame = Math.abs(live.startedMs - last.startedMs) < SAME_MS
  if (!isSame) return [...attempts]
  const upMs = live.upMs ?? last.upMs
  return [...attempts.slice(0, -1), { ...last, startedMs: live.startedMs, ...(upMs === undefined ? {} : { upMs }) }]
}
