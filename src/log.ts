/** The daemon's own log: JSON lines to a pipe, plain lines to a terminal or the journal; the newest stay in memory. */
import { pino } from 'pino'
import type { Logger } from 'pino'
import { forTerminal } from './terminal.ts'

/** What the bundle's diagd collector gets to see. */
const RING_BYTES = 256 * 1024
/** A reader of the log that hangs must not fill the memory; what it misses is counted. */
const MAX_QUEUED_BYTES = 1024 * 1024

export interface LogOutput {
  readonly writableLength: number
  write(text: string): boolean
}

export interface Log {
  readonly logger: Logger
  /** The newest lines, oldest first, as JSON lines. */
  readonly newest: () => string
}

/** `journal`: systemd has the time and the name already, and takes the priority from the line. */
export type LogForm = 'json' | 'terminal' | 'journal'

export function createLog(level: string, output: LogOutput, form: LogForm = 'json'): Log {
  const ring = createRing(RING_BYTES)
  const formed = FORMS[form]
  let dropped = 0
  const emit = (line: string) => {
    if (output.writableLength > MAX_QUEUED_BYTES) {
      dropped += 1
      return
    }
    if (dropped > 0)
      output.write(formed(`{"level":"warn","msg":"${dropped} lines of the log were dropped: nobody read them"}\n`))
    dropped = 0
    output.write(formed(line))
  }
  const destination = {
    write(line: string) {
      ring.push(line)
      emit(line)
    },
  }
  // Of a request: no header, and no query string, for either may hold what is nobody's business.
  const req = ({ method, url = '' }: { method?: string; url?: string }) => ({ method, path: url.replace(/\?.*/s, '') })
  const formatters = { level: (label: string) => ({ level: label }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const logger = pino({ level, base: null, timestamp, formatters, serializers: { req } }, destination)
  return { logger, newest: ring.text }
}

function createRing(maxBytes: number): { push: (line: string) => void; text: () => string } {
  const lines: string[] = []
  let bytes = 0
  return {
    push(line) {
      lines.push(line)
      bytes += Buffer.byteLength(line)
      while (bytes > maxBytes && lines.length > 1) bytes -= Buffer.byteLength(lines.shift()!)
    },
    text: () => lines.join(''),
  }
}

const FORMS: Record<LogForm, (line: string) => string> = {
  json: (line) => line,
  /** `12:00:00 INFO  message key=value …` */
  terminal(line) {
    const { time, level, text } = parts(line)
    return `${forTerminal(`${time.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${text}`)}\n`
  },
  /** `<4>message key=value …` */
  journal(line) {
    const { level, text } = parts(line)
    return `<${PRIORITIES[level] ?? 6}>${forTerminal(text)}\n`
  },
}

/** Those of syslog(3). */
const PRIORITIES: Record<string, number> = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 }

function parts(line: string): { time: string; level: string; text: string } {
  const { time = '', level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return { time: String(time), level: String(level), text: `${String(msg)}${pairs.join('')}` }
}
