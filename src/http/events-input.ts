/** What somebody posts → events. Bad input is told by the field, with what is accepted; what is merely long is the store's to cut. */
import { parseTime, printable, UsageError } from '../collect/request.ts'
import { LEVELS, type Level, type NewEvent } from '../record/events/event.ts'
import { HttpError } from './errors.ts'

/** The present moment, by both clocks, and the boot it is in. */
export type Moment = Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>

const EVENT_STATUSES = ['started', 'finished', 'failed'] as const
const EVENT_TYPE_ACCEPTS = 'words of letters, digits, "-" and "_" with dots between, at most 128 characters'
const MOST_EVENTS = 1000
const MOST_BYTES = 64 * 1024
const TYPE = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9][A-Za-z0-9_-]*)*$/
/** A year and more is no duration but a slip of the unit. */
const MOST_DURATION_MS = 366 * 86_400_000

/** @throws HttpError `bad-event` that names the field, and which event where there are several. */
export function parseEvents(body: unknown, now: Moment): NewEvent[] {
  if (!Array.isArray(body)) return [eventOf(body, '', now)]
  if (body.length === 0 || body.length > MOST_EVENTS)
    throw bad('', `${body.length} events; accepted: 1 to ${MOST_EVENTS} in one request`)
  return body.map((one: unknown, index) => eventOf(one, `[${index}]`, now))
}

type Fields = Readonly<Record<string, unknown>>

function eventOf(value: unknown, place: string, now: Moment): NewEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(place, 'is not an event; accepted: a JSON object, or a list of them')
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > MOST_BYTES) throw bad(place, `has ${bytes} bytes; accepted: at most ${MOST_BYTES}`)
  const fields = value as Fields
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(READERS, name))
  const at = (name: string) => (place === '' ? name : `${place}.${name}`)
  if (unknown !== undefined)
    throw bad(at(printable(unknown)), `is not a field; accepted: ${Object.keys(READERS).join(', ')}`)
  const read = <Name extends keyof typeof READERS>(name: Name) =>
    READERS[name](fields[name] ?? undefined, at(name), now) as ReturnType<(typeof READERS)[Name]>
  const status = read('status')
  const durationMs = read('durationMs')
  const timeMs = read('time')
  const detail = { ...read('detail'), ...(status && { status }), ...(durationMs !== undefined && { durationMs }) }
  return {
    ...(timeMs === undefined ? now : { timeMs, bootId: now.bootId }),
    source: 'api',
    type: read('type'),
    level: read('level') ?? (status === 'failed' ? 'error' : 'info'),
    subject: read('subject') ?? '',
    message: read('message') ?? '',
    ...(Object.keys(detail).length > 0 && { detail }),
  }
}

/** Each gets its value, undefined where there is none, and the name to complain about. */
const READERS = {
  type(value: unknown, name: string): string {
    if (typeof value === 'string' && value.length <= 128 && TYPE.test(value)) return value
    throw bad(name, `${shown(value)} is not a type; accepted: ${EVENT_TYPE_ACCEPTS} (provision.docker-install)`)
  },
  status: (value: unknown, name: string) => oneOf(EVENT_STATUSES, value, name),
  level: (value: unknown, name: string): Level | undefined => oneOf(LEVELS, value, name),
  subject: text,
  message: text,
  detail(value: unknown, name: string): Record<string, unknown> | undefined {
    if (value === undefined) return undefined
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    throw bad(name, `${shown(value)} is not an object; accepted: a JSON object`)
  },
  time(value: unknown, name: string, { timeMs }: Moment): number | undefined {
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw bad(name, `${shown(value)} is not a time; accepted: "2026-01-31T12:00:00Z"`)
    try {
      return parseTime(name, value, timeMs)
    } catch (error) {
      throw error instanceof UsageError ? bad(name, error.message.slice(name.length + 2)) : error
    }
  },
  durationMs(value: unknown, name: string): number | undefined {
    if (value === undefined) return undefined
    if (typeof value === 'number' && value >= 0 && value <= MOST_DURATION_MS) return value
    throw bad(name, `${shown(value)} is not a duration; accepted: milliseconds, 0 to ${MOST_DURATION_MS}`)
  },
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw bad(name, `${shown(value)} is not a text; accepted: a string`)
}

function oneOf<T extends string>(known: readonly T[], value: unknown, name: string): T | undefined {
  if (value === undefined) return undefined
  const found = known.find((one) => one === value)
  if (found === undefined) throw bad(name, `${shown(value)} is none of those accepted: ${known.join(', ')}`)
  return found
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : printable(JSON.stringify(value))
}

function bad(parameter: string, detail: string): HttpError {
  if (parameter === '') return new HttpError('bad-event', detail)
  return new HttpError('bad-event', `${parameter}: ${detail}`, { parameter })
}
