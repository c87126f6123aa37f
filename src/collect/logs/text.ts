/** Lines of logs for people: time, level, where from, message, in columns. */
import { forTerminal } from '../../terminal.ts'
import type { LogProblem } from './find-sources.ts'
import type { LogLine } from './line.ts'

/** Of the column that says where a line comes from; what is longer is cut in its midst. */
const ORIGIN_COLUMNS = 24

/** Escape sequences for parts of a line; none for what is no terminal. */
export interface Paint {
  level(text: string, level: LogLine['level']): string
  dim(text: string): string
}

const PLAIN: Paint = { level: (text) => text, dim: (text) => text }

/** With its end of line. Further lines of a message stand below its first. */
export function lineText(line: LogLine, paint: Paint = PLAIN): string {
  const { level, message, cutBytes } = line
  // Milliseconds: a column less to look at, and the order tells the rest.
  const time = `${line.time.slice(0, 23)}Z`
  const origin = originOf(line).padEnd(ORIGIN_COLUMNS)
  const head = `${paint.dim(time)} ${paint.level(level.padEnd(8), level)} ${paint.dim(origin)} `
  const indent = ' '.repeat(time.length + 8 + ORIGIN_COLUMNS + 3)
  const cut = cutBytes === undefined ? '' : ` … (${cutBytes} bytes more)`
  const [first = '', ...more] = `${message}${cut}`.split('\n').map(safe)
  return [
    `${head}${paint.level(first, level)}\n`,
    ...more.map((text) => `${indent}${paint.level(text, level)}\n`),
  ].join('')
}

export function problemText({ source, message }: LogProblem): string {
  return `… diagd: ${safe(message.includes(source) ? message : `${source}: ${message}`)} …\n`
}

/** `nginx[812]`, `kernel`, `container web`, `web stderr`, `cloud-init-output.log` */
function originOf({ unit, identifier, pid, container, file }: LogLine): string {
  if (container?.stream) return cut(`${container.name}${container.stream === 'stderr' ? ' stderr' : ''}`)
  const name = container?.name ?? file ?? identifier ?? unit ?? ''
  return cut(`${name}${pid === undefined ? '' : `[${pid}]`}`)
}

function cut(text: string): string {
  const clean = safe(text)
  if (clean.length <= ORIGIN_COLUMNS) return clean
  const half = (ORIGIN_COLUMNS - 1) / 2
  return `${clean.slice(0, Math.ceil(half))}…${clean.slice(-Math.floor(half))}`
}

function safe(text: string): string {
  return text.split('\t').map(forTerminal).join('\t')
}
