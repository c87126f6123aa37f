/** Phase markers: `PHASE START: x` and `PHASE END: x [status]`, in a line of any program. */
import { ownType } from './own.ts'
import type { NewEvent } from '../events/event.ts'
import type { JournalEntry } from '../../sources/journal-line.ts'

/** What a marker looks like: a group `phase` each, and `status` for an end. */
export interface PhasePatterns {
  readonly start: RegExp
  readonly end: RegExp
}

const STATUS = String.raw`(?:(?:rc|status|exit|code)[=: ])?(?:-?\d+|ok|done|success(?:ful)?|succeeded|fail(?:ed|ure)?|error|timeout|aborted|skipped)`

export const PHASE_PATTERNS: PhasePatterns = {
  start: /(?:^|\s)PHASE START:\s*(?<phase>\S(?:.*\S)?)/,
  end: new RegExp(String.raw`(?:^|\s)PHASE END:\s*(?<phase>\S.*?)(?:\s+[[(]?(?<status>${STATUS})[\])]?)?\s*$`, 'im'),
}

/** Programs that only repeat a command line with a marker in it. */
const REPEATERS = new Set(['sudo', 'su', 'CRON', 'cron', 'crond', 'audit', 'kernel', 'sshd', 'polkitd', 'systemd'])
const FAILED = /fail|error|timeout|abort|(?:^|[=: ])-?0*[1-9]\d*$/i
const MAX_CHARS = 4096

/** At most one event: the first marker of the message. */
export function phaseOf(
  entry: JournalEntry,
  patterns: PhasePatterns,
): Pick<NewEvent, 'type' | 'source' | 'level' | 'subject' | 'detail'> | undefined {
  const message = entry.field('MESSAGE')?.slice(0, MAX_CHARS)
  const tag = entry.field('SYSLOG_IDENTIFIER') ?? ''
  if (message === undefined || REPEATERS.has(tag)) return undefined
  const { phase: started } = patterns.start.exec(message)?.groups ?? {}
  if (started !== undefined) return { ...ownType('phase.started'), subject: started, detail: { tag } }
  const { phase: ended, status } = patterns.end.exec(message)?.groups ?? {}
  if (ended === undefined) return undefined
  const failed = status !== undefined && FAILED.test(status)
  const detail = status === undefined ? { tag } : { tag, status }
  return { ...ownType(failed ? 'phase.failed' : 'phase.ended'), subject: ended, detail }
}
