/** What is wished of the logs, from a query string or a command line. */
import { LEVELS, type Level } from '../../sources/levels.ts'
import { LOG_KINDS, type LogKind } from '../../sources/logs/line.ts'
import { parseTime, printable, single, UsageError, type Parameters } from '../request.ts'

export interface LogFilter {
  readonly kinds: readonly LogKind[]
  /** This level and graver ones. */
  readonly level?: Level | undefined
  /** Lines of any of these units or containers; of all when both are empty. */
  readonly units: readonly string[]
  /** Names, or ids of at least 12 letters. */
  readonly containers: readonly string[]
  /** Stands in the message, without regard to case. */
  readonly search?: string | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  /** Where an answer before ended. */
  readonly cursor?: string | undefined
}

export interface PageWish extends LogFilter {
  readonly order: 'newest' | 'oldest'
  readonly limit: number
}

export interface FollowWish extends LogFilter {
  /** Begin with the newest so many lines that are there; without it (and `sinceMs`, `cursor`) with what comes. */
  readonly lines?: number | undefined
}

const OF_BOTH = ['source', 'level', 'unit', 'container', 'since', 'until', 'search', 'cursor']
const OF_PAGE = [...OF_BOTH, 'order', 'limit']
const OF_FOLLOW = [...OF_BOTH.filter((name) => name !== 'until'), 'lines']

const DEFAULT_LIMIT = 1000
export const MOST_LINES = 10_000
const SEARCH_CHARACTERS = 256
/** Each is an argument of journalctl, or an answer of an engine. */
const MOST_NAMES = 32

/** @throws UsageError */
export function parsePageWish(parameters: Parameters, nowMs: number): PageWish {
  refuseUnknown(parameters, OF_PAGE)
  const order = single(parameters, 'order')
  if (order !== undefined && order !== 'newest' && order !== 'oldest')
    throw new UsageError('order', `"${printable(order)}" is none of those accepted: newest, oldest`)
  const filter = parseFilter(parameters, nowMs)
  if (filter.sinceMs !== undefined && filter.untilMs !== undefined && filter.sinceMs >= filter.untilMs)
    throw new UsageError('since', 'is not before until')
  return { ...filter, order: order ?? 'newest', limit: whole(parameters, 'limit') ?? DEFAULT_LIMIT }
}

/** @throws UsageError */
export function parseFollowWish(parameters: Parameters, nowMs: number): FollowWish {
  refuseUnknown(parameters, OF_FOLLOW)
  const filter = parseFilter(parameters, nowMs)
  const lines = whole(parameters, 'lines')
  if (lines !== undefined && filter.sinceMs !== undefined)
    throw new UsageError('lines', 'does not go together with since')
  return { ...filter, lines }
}

function parseFilter(parameters: Parameters, nowMs: number): LogFilter {
  const [since, until] = ['since', 'until'].map((name) => {
    const text = single(parameters, name)
    return text === undefined ? undefined : parseTime(name, text, nowMs)
  })
  const units = several(parameters, 'unit', unitOf)
  const containers = several(parameters, 'container', containerOf)
  const filter = {
    kinds: kindsOf(parameters, units, containers),
    level: levelOf(single(parameters, 'level')),
    units,
    containers,
    search: searchOf(single(parameters, 'search')),
    sinceMs: since,
    untilMs: until,
    cursor: single(parameters, 'cursor'),
  }
  return filter
}

function refuseUnknown(parameters: Parameters, known: readonly string[]): void {
  const unknown = Object.keys(parameters).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${known.join(', ')}`)
}

/** `?unit=a,b` and `?unit=a&unit=b` mean the same. */
function several<T>(parameters: Parameters, name: string, read: (text: string, name: string) => T): T[] {
  const texts = [parameters[name] ?? []].flat().flatMap((text) => text.split(','))
  if (texts.length > MOST_NAMES)
    throw new UsageError(name, `there are ${texts.length} of them; accepted: at most ${MOST_NAMES}`)
  return [...new Set(texts.map((text) => read(text.trim(), name)))]
}

/** Where something is asked for that only some of the sources have, only those are asked. */
function kindsOf(parameters: Parameters, units: readonly string[], containers: readonly string[]): LogKind[] {
  const wished = several(parameters, 'source', kindOf)
  const named = units.length + containers.length > 0
  const able = LOG_KINDS.filter((kind) => {
    if (kind === 'cloud-init') return !named
    return kind === 'journal' || !named || containers.length > 0
  })
  const kinds = able.filter((kind) => wished.length === 0 || wished.includes(kind))
  if (kinds.length > 0) return kinds
  const what = units.length > 0 ? 'unit' : 'container'
  throw new UsageError(what, `${wished.join(', ')} has none; lines of a ${what} come from: ${able.join(', ')}`)
}

function kindOf(text: string, name: string): LogKind {
  const known = LOG_KINDS.find((kind) => kind === text || `${kind}s` === text)
  if (known) return known
  throw new UsageError(name, `"${printable(text)}" is none of those accepted: ${LOG_KINDS.join(', ')}`)
}

function levelOf(text: string | undefined): Level | undefined {
  const known = LEVELS.find((level) => level === text)
  if (known || text === undefined) return known
  throw new UsageError('level', `"${printable(text)}" is none of those accepted: ${LEVELS.join(', ')}`)
}

const SUFFIX = /\.(?:service|socket|target|timer|mount|automount|swap|path|slice|scope|device)$/

/** As systemctl has it: without a suffix it is a service. */
function unitOf(text: string, name: string): string {
  if (/^[A-Za-z0-9:_.@\\-]{1,255}$/.test(text)) return SUFFIX.test(text) ? text : `${text}.service`
  throw new UsageError(name, `"${printable(text)}" is not a unit; accepted: nginx, nginx.service, worker@1.service`)
}

function containerOf(text: string, name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(text)) return text
  throw new UsageError(
    name,
    `"${printable(text)}" is not a container; accepted: its name, or 12 or more letters of its id`,
  )
}

function searchOf(text: string | undefined): string | undefined {
  if (text === undefined || (text.length > 0 && text.length <= SEARCH_CHARACTERS)) return text
  throw new UsageError('search', `has ${text.length} characters; accepted: 1 to ${SEARCH_CHARACTERS}`)
}

function whole(parameters: Parameters, name: string): number | undefined {
  const text = single(parameters, name)
  if (text === undefined) return undefined
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= MOST_LINES) return number
  throw new UsageError(name, `"${printable(text)}" does not fit; accepted: whole numbers from 1 to ${MOST_LINES}`)
}
