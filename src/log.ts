/** The daemon's own log: JSON lines to a pipe or the journal, plain lines to a terminal; the newest stay in memory. */
import { pino } from 'pino'
import type { Logger } from 'pino'
import { forTerminal } from './terminal.ts'

/** What the bundle's diagd collector gets to see. */
const RING_BYTES = 256 * 1024
/** A reader of the log that hangs must not fill the memory; what it misses is counted. */
const MAX_QUEUED_BYTES = 1024 * 1024

export interface LogOutput {
  readonly isTTY?: boolean
  readonly writableLength: number
  write(text: string): boolean
}

export interface Log {
  readonly logger: Logger
  /** The newest lines, oldest first, as JSON lines. */
  readonly newest: () => string
}

export function createLog(level: string, output: LogOutput): Log {
  const ring = createRing(RING_BYTES)
  let dropped = 0
  const emit = (line: string) => {
    if (output.writableLength > MAX_QUEUED_BYTES) {
      dropped += 1
      return
    }
    if (dropped > 0)
      output.write(`{"level":"warn","msg":"${dropped} lines of the log were dropped: nobody read them"}\n`)
    dropped = 0
    output.write(output.isTTY ? plainLine(line) : line)
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

/** `12:00:00 INFO  message key=value …` */
function plainLine(line: string): string {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const text = `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${pairs.join('')}`
  return `${forTerminal(text)}\n`
}
