/** Recorded events as a table, newest first. No I/O. */
import type { RecordedEvent } from '../../src/collector.ts'

/** Wider ones push the rest of their own line. */
const WIDEST = { type: 28, subject: 40 }
const DETAIL_CHARACTERS = 200

export function eventsText(events: readonly RecordedEvent[], bootId: string): string {
  if (events.length === 0) return 'Nothing was recorded yet.\n'
  const width = (key: 'type' | 'subject') =>
    Math.min(WIDEST[key], Math.max(...events.map((event) => event[key].length)))
  const widths = { type: width('type'), subject: width('subject') }
  const lines = [`The newest ${events.length} events, newest first, times UTC; events.db has all of them.`]
  let boot: string | undefined
  for (const event of events) {
    if (event.bootId !== boot) lines.push('', `boot ${event.bootId}${event.bootId === bootId ? ' (this one)' : ''}`)
    boot = event.bootId
    lines.push(lineOf(event, widths))
  }
  return `${lines.join('\n')}\n`
}

function lineOf(event: RecordedEvent, widths: { type: number; subject: number }): string {
  const time = new Date(event.timeMs).toISOString().replace('T', ' ').slice(0, -1)
  const { level, type, subject } = event
  const cells = [time, level.padEnd(8), type.padEnd(widths.type), plain(subject).padEnd(widths.subject), said(event)]
  return cells.join('  ').trimEnd()
}

/** The sentence; where there is none, what is there for programs. */
function said({ message, detail }: RecordedEvent): string {
  const status = typeof detail?.['status'] === 'string' ? `${detail['status']}  ` : ''
  if (message !== '' || detail === undefined) return status + plain(message)
  const { status: _, ...rest } = detail
  return status + (Object.keys(rest).length === 0 ? '' : plain(JSON.stringify(rest)).slice(0, DETAIL_CHARACTERS))
}

/** One line is one event. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
