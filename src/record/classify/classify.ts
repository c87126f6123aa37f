/** An entry of the journal → the events it makes, by tables. */
import { KERNEL_ROWS } from './kernel.ts'
import { phaseOf, type PhasePatterns } from './phase.ts'
import type { Row, Speaker } from './row.ts'
import { JOURNALD_ROWS, SERVICE_ROWS } from './services.ts'
import { SYSTEMD_ROWS } from './systemd.ts'
import type { NewEvent } from '../events/event.ts'
import type { JournalEntry } from '../../sources/journal-line.ts'

/** In the order in which they are tried; the first that fits makes the event. */
export const ROWS: readonly Row[] = [...SYSTEMD_ROWS, ...JOURNALD_ROWS, ...SERVICE_ROWS, ...KERNEL_ROWS]

const ALWAYS =
  'MESSAGE MESSAGE_ID PRIORITY SYSLOG_IDENTIFIER _TRANSPORT _PID _SYSTEMD_UNIT _SOURCE_REALTIME_TIMESTAMP _SOURCE_MONOTONIC_TIMESTAMP'

/** All that is asked of journalctl, besides what it always gives. */
export const FIELDS: readonly string[] = [...new Set([...ALWAYS.split(' '), ...ROWS.flatMap(fieldsOf)])]

export interface ClassifyOptions {
  readonly phases: PhasePatterns
}

export function classify(entry: JournalEntry, { phases }: ClassifyOptions): NewEvent[] {
  const { timeMs, monotonicMs, bootId } = entry
  const message = firstLine(entry.field('MESSAGE') ?? '')
  const found = fromRows(entry) ?? phaseOf(entry, phases)
  return found === undefined ? [] : [{ timeMs, monotonicMs, bootId, message, ...found }]
}

type Found = Pick<NewEvent, 'type' | 'source' | 'level' | 'subject'> & { readonly detail?: Record<string, unknown> }

function fromRows(entry: JournalEntry): Found | undefined {
  const speaker = speakerOf(entry)
  const rows = rowsFor(speaker, entry.field('MESSAGE_ID'))
  const message = entry.field('MESSAGE') ?? ''
  for (const row of rows) {
    const groups = fits(row, entry, message)
    if (groups === undefined) continue
    const { type, source, level } = row
    const value = (name: string) => (isField(name) ? entry.field(name) : groups[name])
    const subject = [row.subject ?? []].flat().map(value).find(Boolean) ?? ''
    const detail = detailOf(row.detail ?? {}, value)
    return { type, source, level, subject, ...(detail === undefined ? {} : { detail }) }
  }
  return undefined
}

/** The groups of the row's pattern; undefined when the row is not about this entry. */
function fits({ where = {}, pattern }: Row, entry: JournalEntry, message: string): Record<string, string> | undefined {
  for (const [name, wanted] of Object.entries(where)) {
    const value = entry.field(name)
    if (value === undefined || !wanted.test(value)) return undefined
  }
  if (pattern === undefined) return {}
  const match = pattern.exec(message)
  return match === null ? undefined : (match.groups ?? {})
}

function detailOf(
  names: Readonly<Record<string, string>>,
  value: (name: string) => string | undefined,
): Record<string, unknown> | undefined {
  const found = Object.entries(names)
    .map(([name, from]) => [name, value(from)] as const)
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([name, text]) => [name, /^-?\d{1,15}$/.test(text!) ? Number(text) : text] as const)
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** Only fields that journald itself adds can be trusted: any user can write a SYSLOG_IDENTIFIER. */
function speakerOf(entry: JournalEntry): Speaker {
  const transport = entry.field('_TRANSPORT')
  if (transport === 'driver') return 'journald'
  if (transport === 'kernel') {
    // Before journald runs, systemd writes to the log of the kernel, which root alone can.
    const tag = entry.field('SYSLOG_IDENTIFIER') ?? 'kernel'
    return tag === 'systemd' ? 'systemd' : tag === 'systemd-journald' ? 'journald' : 'kernel'
  }
  return entry.field('_PID') === '1' ? 'systemd' : 'service'
}

const BY_SPEAKER = Map.groupBy(ROWS, ({ from }) => from)
const BY_ID = new Map<string, readonly Row[]>()
for (const row of ROWS)
  for (const id of row.ids ?? []) BY_ID.set(`${row.from} ${id}`, [...(BY_ID.get(`${row.from} ${id}`) ?? []), row])
const WITHOUT_ID = new Map([...BY_SPEAKER].map(([from, rows]) => [from, rows.filter(({ ids }) => ids === undefined)]))

/** An id says more than words: with one that is known, words alone do not count. */
function rowsFor(from: Speaker, id: string | undefined): readonly Row[] {
  const byId = id === undefined ? undefined : BY_ID.get(`${from} ${id}`)
  return byId ?? WITHOUT_ID.get(from) ?? []
}

function fieldsOf({ subject = [], detail = {}, where = {} }: Row): string[] {
  return [subject, Object.values(detail), Object.keys(where)].flat().filter(isField)
}

function isField(name: string): boolean {
  return /^_*[A-Z]/.test(name)
}

const MESSAGE_CHARS = 4096

/** Stack traces and the like stay in the journal. */
function firstLine(message: string): string {
  const end = message.indexOf('\n')
  return (end === -1 ? message : message.slice(0, end)).slice(0, MESSAGE_CHARS)
}
