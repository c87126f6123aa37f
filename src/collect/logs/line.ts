/** A line of a log as it is handed over (docs/schema/log-line.schema.json). */
import { isAtLeast } from '../../sources/levels.ts'
import { timeText, type LogSource, type RawLine } from '../../sources/logs/line.ts'
import type { LogFilter } from './wish.ts'

export interface LogLine {
  /** `2026-01-31T12:00:00.123456Z` */
  readonly time: string
  readonly source: LogSource['kind']
  readonly level: RawLine['level']
  readonly unit?: string
  readonly identifier?: string
  readonly pid?: number
  readonly container?: RawLine['container']
  readonly file?: string
  readonly message: string
  /** Bytes of the message that are left out. */
  readonly cutBytes?: number
  /** To go on behind this line. */
  readonly cursor: string
}

export function shownLine({ kind }: LogSource, line: RawLine, cursor: string): LogLine {
  const { timeUs, place: _, level, message, cutBytes, context: __, ...origin } = line
  return {
    time: timeText(timeUs),
    source: kind,
    level,
    ...origin,
    message,
    ...(cutBytes === undefined ? {} : { cutBytes }),
    cursor,
  }
}

/** Looked for in what is handed over, and so after the mask: else a question could find out a secret letter by letter. */
export function isWanted({ level, search }: Pick<LogFilter, 'level' | 'search'>): (line: RawLine) => boolean {
  const words = search?.toLowerCase()
  return (line) =>
    (level === undefined || isAtLeast(line.level, level)) &&
    (words === undefined || line.message.toLowerCase().includes(words))
}
