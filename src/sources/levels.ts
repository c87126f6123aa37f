/** How grave something is, in the words that the whole of diagd uses. */

/** From harmless to grave; as syslog and OpenTelemetry name them. */
export const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const
export type Level = (typeof LEVELS)[number]

/** Of a syslog priority: 0 (emergency) to 7 (debug). What bears none is `info`. */
export function levelOfPriority(priority: string | undefined): Level {
  return BY_PRIORITY[Number(priority ?? 6)] ?? 'info'
}

const BY_PRIORITY: readonly Level[] = ['critical', 'critical', 'critical', 'error', 'warning', 'info', 'info', 'debug']

/** The priority that a level begins with: journalctl takes it and all graver ones. undefined: all entries. */
export function priorityOf(level: Level): number | undefined {
  return { debug: undefined, info: undefined, warning: 4, error: 3, critical: 2 }[level]
}

/** `level` itself, or graver. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least)
}

/**
 * What a line of a program says of itself: `"level":"warn"`, `level=error`, `[ERROR]`, `ERROR:`, klog's `E0102 15:04:05`. undefined when it
 * says nothing, within its first 256 characters.
 */
export function levelInText(text: string): Level | undefined {
  const start = text.slice(0, 256)
  const klog = /^([IWEF])\d{4} \d\d:\d\d:\d\d\./.exec(start)?.[1]
  if (klog !== undefined) return WORDS[klog.toLowerCase()]
  const word = (FIELD.exec(start) ?? BRACKETED.exec(start) ?? LOUD.exec(start))?.[1]
  return word === undefined ? undefined : WORDS[word.toLowerCase()]
}

const NAMES = 'trace|debug|info|notice|warn|warning|err|error|fatal|crit|critical|alert|emerg|panic'
/** JSON and logfmt. */
const FIELD = new RegExp(String.raw`(?:^|[\s{,"])(?:level|lvl|severity|log\.level)"?\s*[=:]\s*"?(${NAMES})\b`, 'i')
const BRACKETED = new RegExp(String.raw`[[<](${NAMES})[\]>]`, 'i')
/** In capitals, where a log puts it: at the beginning, or behind a time and a name. */
const LOUD = new RegExp(String.raw`^(?:\S+\s+){0,4}(${NAMES.toUpperCase()})\b`)

const WORDS: Readonly<Record<string, Level>> = {
  trace: 'debug',
  debug: 'debug',
  i: 'info',
  info: 'info',
  notice: 'info',
  w: 'warning',
  warn: 'warning',
  warning: 'warning',
  e: 'error',
  err: 'error',
  error: 'error',
  f: 'critical',
  fatal: 'critical',
  crit: 'critical',
  critical: 'critical',
  alert: 'critical',
  emerg: 'critical',
  panic: 'critical',
}
