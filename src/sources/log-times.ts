/** The time at the beginning of a log line, in the notations that system logs use. */
import { isUtc } from '../utc.ts'

/** Epoch milliseconds of a line (its first 256 bytes as latin1 will do); undefined when it bears no time. */
export type LineTime = (line: string) => number | undefined

/** How much of a line is looked at for its time: a web server writes address and user before it. */
export const stampBytes = 256

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = `(${months.join('|')})`
const clock = String.raw`(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?`
const dayMs = 24 * 60 * 60 * 1000

/** ISO 8601 and its relatives, also as the first field of logfmt, JSON and apt's history. */
const iso = new RegExp(
  String.raw`^(?:<\d{1,3}>(?:1 )?)?[[({"]{0,2}(?:(?:time|ts|t|@?timestamp|Start-Date)"?[=:] ?"?)?` +
    String.raw`(\d{4})[-/](\d{2})[-/](\d{2})(?:T| {1,2})${clock}(?: ?(Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b)|([+-]\d{2})\b)?`,
)
/** RFC 3164: no year. */
const syslog = new RegExp(String.raw`^(?:<\d{1,3}>)?${month} ( ?\d{1,2}) ${clock}`)
/** Common log format of nginx and apache. */
const common = new RegExp(String.raw`^[^[\n]{0,200}\[(\d{2})/${month}/(\d{4}):${clock} ([+-]\d{4})\]`)
/** ctime(3) and date(1), as in apache's error log. */
const ctime = new RegExp(
  String.raw`^\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} +(\d{1,2}) ${clock} (?:(UTC|GMT) )?(\d{4})\b`,
)
const audit = /^(?:node=\S+ )?type=\S+ msg=audit\((\d{9,11})\.(\d{3}):/
const epoch = /^(\d{10})(?:\.(\d{1,9}))?[ \t]/

/**
 * Reads times without a zone in `timeZone` (IANA; UTC when it is unknown), and gives times without a year the latest one
 * that is not after the file was last written.
 */
export function lineTimes({ timeZone, mtimeMs }: { timeZone: string; mtimeMs: number }): LineTime {
  const toUtc = zoneReader(timeZone)
  const notations: LineTime[] = [
    (line) => {
      const [hit, y, mo, d, h, mi, s, frac, zone, shortZone] = iso.exec(line) ?? []
      if (hit === undefined) return undefined
      return zoned(utc(Number(y), Number(mo) - 1, d, [h, mi, s, frac]), zone ?? shortZone, toUtc)
    },
    (line) => {
      const [hit, name, d, ...time] = syslog.exec(line) ?? []
      if (hit === undefined) return undefined
      const year = new Date(mtimeMs + dayMs).getUTCFullYear()
      const inYear = (y: number) => toUtc(utc(y, months.indexOf(name ?? ''), d, time))
      const time1 = inYear(year)
      return time1 > mtimeMs + dayMs ? inYear(year - 1) : time1
    },
    (line) => {
      const [hit, d, name, y, h, mi, s, frac, zone] = common.exec(line) ?? []
      if (hit === undefined) return undefined
      return zoned(utc(Number(y), months.indexOf(name ?? ''), d, [h, mi, s, frac]), zone, toUtc)
    },
    (line) => {
      const [hit, name, d, h, mi, s, frac, zone, y] = ctime.exec(line) ?? []
      if (hit === undefined) return undefined
      return zoned(utc(Number(y), months.indexOf(name ?? ''), d, [h, mi, s, frac]), zone, toUtc)
    },
    (line) => {
      const [, seconds, frac] = audit.exec(line) ?? epoch.exec(line) ?? []
      return seconds === undefined ? undefined : Number(seconds) * 1000 + fraction(frac)
    },
  ]
  return firstOf(notations)
}

/** A file mostly keeps to one notation: the last one that fitted is asked first. */
function firstOf(notations: LineTime[]): LineTime {
  return (line) => {
    for (const [index, read] of notations.entries()) {
      const time = read(line)
      if (time === undefined || Number.isNaN(time)) continue
      if (index > 0) notations.unshift(...notations.splice(index, 1))
      return time
    }
    return undefined
  }
}

type Clock = readonly (string | undefined)[]

function utc(year: number, monthIndex: number, day: string | undefined, [h, mi, s, frac]: Clock): number {
  return Date.UTC(year, monthIndex, Number(day), Number(h), Number(mi), Number(s)) + fraction(frac)
}

function fraction(digits: string | undefined): number {
  return digits ? Math.floor(Number(`0.${digits}`) * 1000) : 0
}

function zoned(time: number, zone: string | undefined, toUtc: (local: number) => number): number {
  if (zone === undefined) return toUtc(time)
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? []
  if (sign === undefined) return time
  const offsetMs = (Number(hours) * 60 + Number(minutes ?? 0)) * 60_000
  return sign === '-' ? time + offsetMs : time - offsetMs
}

/** From the wall clock of a zone (as if it were UTC) to UTC. Of an hour that comes twice, either may be meant. */
function zoneReader(timeZone: string): (local: number) => number {
  const offset = offsets(timeZone)
  return (local) => local - offset(local - offset(local))
}

/** The offset of a zone at a time, in milliseconds, kept per quarter of an hour (no zone changes in between). */
function offsets(timeZone: string): (time: number) => number {
  if (isUtc(timeZone)) return () => 0
  let format: Intl.DateTimeFormat | undefined
  const known = new Map<number, number>()
  const quarterMs = 15 * 60_000
  return (time) => {
    if (Number.isNaN(time)) return 0
    const quarter = Math.floor(time / quarterMs)
    const kept = known.get(quarter)
    if (kept !== undefined) return kept
    const start = quarter * quarterMs
    // Made when it is needed: most lines name their zone.
    format ??= formatIn(timeZone)
    const part = Object.fromEntries(format.formatToParts(start).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    const found = Date.UTC(year, month - 1, day, hour, minute, second) - start
    // A month of logs has 3 000 quarters; a file of random numbers must not fill the memory.
    if (known.size > 10_000) known.clear()
    known.set(quarter, found)
    return found
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const options = { ...fields, second: 'numeric', hourCycle: 'h23', calendar: 'iso8601' } as const
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone })
  } catch {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' })
  }
}
