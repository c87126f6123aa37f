/** Phases that scripts announce in the journal, and provisioning steps that programs report. No I/O. */
import type { BootClock } from './clock.ts'
import { timedEvents } from './events.ts'
import type { JournalLine } from './journal.ts'
import { Pairing, type Edge } from './pairing.ts'
import type { Part } from './parts.ts'
import type { PhasePatterns, ReportedEvent } from './types.ts'

const STATUS =
  '(?:(?:rc|status|exit|code)[=: ])?(?:-?\\d+|ok|done|success(?:ful)?|succeeded|fail(?:ed|ure)?|error|timeout|aborted|skipped)'

export const PHASES: PhasePatterns = {
  start: /(?:^|\s)PHASE START:\s*(?<phase>\S(?:.*\S)?)/,
  end: new RegExp(`(?:^|\\s)PHASE END:\\s*(?<phase>\\S.*?)(?:\\s+[[(]?(?<status>${STATUS})[\\])]?)?\\s*$`, 'im'),
}

/** Programs that only repeat a command line with a marker in it. */
const REPEATERS = new Set(['sudo', 'su', 'CRON', 'cron', 'crond', 'audit', 'kernel', 'sshd', 'polkitd', 'systemd'])
const FAILED = /fail|error|timeout|abort|(?:^|[=: ])-?0*[1-9]\d*$/i

/** One argument of journalctl that finds the lines of phases, and of containers that start. */
export function announcedMatch({ start, end }: PhasePatterns = PHASES): string {
  // A name may stand in one expression once only.
  const [first, second] = [start, end].map(({ source }) => `(?:${source.replaceAll(/\(\?<\w+>/g, '(')})`)
  return `--grep=(?im)${first}|${second}|starting signal loop|connecting to shim`
}

export function phaseParts(lines: readonly JournalLine[], { start, end }: PhasePatterns = PHASES): Part[] {
  const pairing = new Pairing('phase')
  for (const { message, monotonicMs, field } of lines) {
    if (REPEATERS.has(field('SYSLOG_IDENTIFIER'))) continue
    const begun = start.exec(message)?.groups?.['phase']
    const { phase: ended, status = '' } = end.exec(message)?.groups ?? {}
    if (begun !== undefined) pairing.note(begun, 'started', monotonicMs, '')
    else if (ended !== undefined) pairing.note(ended, FAILED.test(status) ? 'failed' : 'finished', monotonicMs, status)
  }
  return pairing.parts()
}

/** What an event says of a step. */
interface Report {
  readonly source: 'provision' | 'phase'
  readonly name: string
  readonly edge: Edge
}

/** `provision.<name>` with a status in its detail, or behind its name; `phase.started` and so on with its name as their subject. */
export function reportedParts(
  events: readonly ReportedEvent[],
  bootId: string,
  { clock, originMs }: { readonly clock: BootClock; readonly originMs: number },
): Part[] {
  const pairings = { provision: new Pairing('provision'), phase: new Pairing('phase') }
  for (const { event, atMs } of timedEvents(events, bootId, clock, originMs)) {
    const report = reportOf(event)
    if (!report) continue
    pairings[report.source].note(report.name, report.edge, atMs, report.edge === 'failed' ? event.message : '')
  }
  return [...pairings.provision.parts(), ...pairings.phase.parts()]
}

function reportOf({ type, subject, detail }: ReportedEvent): Report | undefined {
  const phase = /^phase\.(started|ended|failed)$/.exec(type)?.[1]
  if (phase !== undefined) return { source: 'phase', name: subject, edge: EDGES[phase]! }
  const [, name, ending] = /^provision\.(.+?)(?:\.(started|finished|ended|failed))?$/.exec(type) ?? []
  const status = detail?.['status'] ?? ending
  const edge = typeof status === 'string' ? EDGES[status] : undefined
  return name === undefined || edge === undefined ? undefined : { source: 'provision', name, edge }
}

const EDGES: Readonly<Record<string, Edge>> = {
  started: 'started',
  finished: 'finished',
  ended: 'finished',
  done: 'finished',
  failed: 'failed',
}
