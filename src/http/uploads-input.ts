/** What is posted to /uploads → a wish; the query of GET /uploads → a filter. */
import {
  parseBundleRequest,
  printable,
  single,
  UsageError,
  type Parameters,
  type RequestFacts,
} from '../collect/request.ts'
import type { UploadState } from '../upload/upload.ts'
import { HttpError } from './errors.ts'

export interface AskedUpload {
  /** Not masked yet; undefined: nothing was said. */
  readonly reason: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly trigger: 'request' | 'shutdown'
}

export interface UploadFacts extends RequestFacts {
  /** Of every bundle that is sent. */
  readonly always: Readonly<Record<string, string>>
}

const FIELDS = ['reason', 'parameters', 'trigger']
const REASON_CHARACTERS = 500
const TRIGGERS = ['request', 'shutdown'] as const
const WINDOW = ['since', 'until', 'around'] as const

/** @throws HttpError `bad-parameter` that names the field; UsageError that names the parameter of the bundle. */
export function parseAskedUpload(body: unknown, facts: UploadFacts): AskedUpload {
  const fields: unknown = body ?? {}
  if (!isObject(fields)) throw bad('', 'the body is not a JSON object')
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) throw bad(printable(unknown), `is not a field; accepted: ${FIELDS.join(', ')}`)
  const { trigger = 'request' } = fields
  const known = TRIGGERS.find((one) => one === trigger)
  if (!known) throw bad('trigger', `${shown(trigger)} is none of those accepted: ${TRIGGERS.join(', ')}`)
  return { reason: reasonOf(fields.reason), parameters: parametersOf(fields.parameters, facts), trigger: known }
}

function reasonOf(reason: unknown): string | undefined {
  if (reason === undefined || reason === null) return undefined
  if (typeof reason !== 'string') throw bad('reason', `${shown(reason)} is not a text; accepted: a string`)
  if (reason.length > REASON_CHARACTERS)
    throw bad('reason', `has ${reason.length} characters; accepted: at most ${REASON_CHARACTERS}`)
  const line = reason.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line === '' ? undefined : line
}

/** Of times it is the moment that is kept, for the bundle may be made, and made again, much later. */
function parametersOf(given: unknown, { always, ...facts }: UploadFacts): Record<string, string> {
  if (given === undefined || given === null) return {}
  if (!isObject(given)) throw bad('parameters', `${shown(given)} is not an object; accepted: {"since": "2h"}`)
  const wished = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, textOf(name, value)]))
  const hasWindow = WINDOW.some((name) => wished[name] !== undefined)
  const base = hasWindow ? without(always, WINDOW) : always
  const { sinceMs, untilMs } = parseBundleRequest({ ...base, ...wished }, facts)
  if (!hasWindow) return wished
  const isOpen = wished.until === undefined && wished.around === undefined
  const window = { since: iso(sinceMs), ...(isOpen ? {} : { until: iso(untilMs) }) }
  return { ...without(wished, WINDOW), ...window }
}

/** As it would stand in a query string. */
function textOf(name: string, value: unknown): string {
  const list = Array.isArray(value) ? (value as unknown[]) : [value]
  if (list.length > 0 && list.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
    return list.map(String).join(',')
  throw bad(`parameters.${printable(name)}`, `${shown(value)} is not a text; accepted: a string, or a list of strings`)
}

function without(all: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)))
}

interface UploadFilter {
  readonly limit: number
  readonly state: UploadState | undefined
}

const STATES: readonly UploadState[] = ['waiting', 'running', 'uploaded', 'gave-up', 'dropped']
const DEFAULT_LIMIT = 100
const MOST = 1000

/** @throws UsageError */
export function parseUploadFilter(query: Parameters): UploadFilter {
  const accepted = ['state', 'limit']
  const unknown = Object.keys(query).find((name) => !accepted.includes(name))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${accepted.join(', ')}`)
  const [state, limit = String(DEFAULT_LIMIT)] = [single(query, 'state'), single(query, 'limit')]
  const known = STATES.find((one) => one === state)
  if (state !== undefined && !known)
    throw new UsageError('state', `"${printable(state)}" is none of those accepted: ${STATES.join(', ')}`)
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MOST)
    throw new UsageError('limit', `"${printable(limit)}" does not fit; accepted: whole numbers from 1 to ${MOST}`)
  return { limit: Number(limit), state: known }
}

/** @throws HttpError `not-found` */
export function parseUploadId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new HttpError(
    'not-found',
    `"${printable(text)}" is not the id of an upload: a whole number, as GET /uploads lists them`,
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value))
}

function bad(parameter: string, detail: string): HttpError {
  if (parameter === '') return new HttpError('bad-parameter', detail)
  return new HttpError('bad-parameter', `${parameter}: ${detail}`, { parameter })
}
