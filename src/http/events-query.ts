/** The query string of GET /events → a filter. */
import { parseTime, printable, single, UsageError, type Parameters } from '../collect/request.ts'
import { LEVELS, SOURCES, type EventFilter } from '../record/events/event.ts'

const PARAMETERS = ['level', 'type', 'source', 'boot', 'since', 'until', 'text', 'before', 'limit']
const DEFAULT_LIMIT = 100
const MOST = 1000
const TEXT_CHARACTERS = 256
const BOOT_ACCEPTS = '0 (this boot), -1 (the one before), -2, …, or a boot id'

/** @throws UsageError */
export function parseEventFilter(parameters: Parameters, nowMs: number): EventFilter {
  const unknown = Object.keys(parameters).find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${PARAMETERS.join(', ')}`)
  const read = <T>(name: string, parse: (text: string, name: string) => T): T | undefined => {
    const text = single(parameters, name)
    return text === undefined ? undefined : parse(text, name)
  }
  const time = (text: string, name: string) => parseTime(name, text, nowMs)
  const filter = {
    level: read('level', (text, name) => oneOf(LEVELS, text, name)),
    typePrefix: read('type', prefix),
    source: read('source', (text, name) => oneOf(SOURCES, text, name)),
    boot: read('boot', parseBoot),
    sinceMs: read('since', time),
    untilMs: read('until', time),
    text: read('text', words),
    beforeId: read('before', (text, name) => whole(text, name, Number.MAX_SAFE_INTEGER)),
    limit: read('limit', (text, name) => whole(text, name, MOST)) ?? DEFAULT_LIMIT,
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as unknown as EventFilter
}

/** @throws UsageError */
export function parseBoot(text: string, name: string): string | number {
  if (/^(?:0|-[1-9]\d{0,5})$/.test(text)) return Number(text)
  const hex = text.toLowerCase().replaceAll('-', '')
  // As the kernel writes it; journalctl leaves the dashes out.
  if (/^[0-9a-f]{32}$/.test(hex)) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  throw new UsageError(name, `"${printable(text)}" is not a boot; accepted: ${BOOT_ACCEPTS}`)
}

function oneOf<T extends string>(known: readonly T[], text: string, name: string): T {
  const found = known.find((one) => one === text)
  if (found === undefined)
    throw new UsageError(name, `"${printable(text)}" is none of those accepted: ${known.join(', ')}`)
  return found
}

function prefix(text: string, name: string): string {
  if (/^[\w.-]{1,128}$/.test(text)) return text
  throw new UsageError(name, `"${printable(text)}" is not the start of a type; accepted: unit, unit.failed, provision`)
}

function words(text: string, name: string): string {
  if (text.length > 0 && text.length <= TEXT_CHARACTERS) return text
  throw new UsageError(name, `has ${text.length} characters; accepted: 1 to ${TEXT_CHARACTERS}`)
}

function whole(text: string, name: string, most: number): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= 1 && number <= most) return number
  throw new UsageError(name, `"${printable(text)}" does not fit; accepted: whole numbers from 1 to ${most}`)
}
