/** An event as a row of the table, and back. What is too long is cut, and says so. */
import { LEVELS, SOURCES, type Level, type NewEvent, type Source, type StoredEvent } from './event.ts'
import { StoreError } from '../store/error.ts'

const TYPE_CHARACTERS = 128
export const SUBJECT_CHARACTERS = 256
export const MESSAGE_CHARACTERS = 4096
const DETAIL_BYTES = 16 * 1024
const BOOT_ID_CHARACTERS = 64
/** Years of four digits: the texts of times sort as the times do. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z')
const LAST_MS = Date.parse('9999-12-31T00:00:00Z')

export interface Row {
  readonly bootId: string
  readonly time: string
  readonly monotonicMs: number | null
  readonly source: Source
  readonly type: string
  readonly level: Level
  readonly subject: string
  readonly message: string
  readonly detail: string | null
}

/** @throws StoreError `invalid`, naming the field. */
export function rowOf(event: NewEvent): Row {
  const { bootId, source, type, level, monotonicMs } = event
  if (!SOURCES.includes(source)) throw invalid('source', source, SOURCES.join(', '))
  if (!LEVELS.includes(level)) throw invalid('level', level, LEVELS.join(', '))
  if (typeof type !== 'string' || !/^[!-~]+$/.test(type)) throw invalid('type', type, 'printable ASCII without blanks')
  if (typeof bootId !== 'string' || bootId === '' || bootId.length > BOOT_ID_CHARACTERS)
    throw invalid('bootId', bootId, `1 to ${BOOT_ID_CHARACTERS} characters`)
  if (monotonicMs !== undefined && !Number.isFinite(monotonicMs))
    throw invalid('monotonicMs', monotonicMs, 'a number, or nothing')
  return {
    bootId: kept(bootId, 'bootId', BOOT_ID_CHARACTERS),
    time: timeText(event.timeMs),
    monotonicMs: monotonicMs ?? null,
    source,
    type: type.slice(0, TYPE_CHARACTERS),
    level,
    subject: kept(event.subject, 'subject', SUBJECT_CHARACTERS),
    message: kept(event.message, 'message', MESSAGE_CHARACTERS),
    detail: event.detail === undefined ? null : detailText(event.detail),
  }
}

export function eventOf(row: Row & { readonly id: number }): StoredEvent {
  const { id, bootId, source, type, level, subject, message } = row
  return {
    id,
    timeMs: timeOf(row.time),
    ...(row.monotonicMs === null ? {} : { monotonicMs: row.monotonicMs }),
    bootId,
    source,
    type,
    level,
    subject,
    message,
    ...(row.detail === null ? {} : { detail: JSON.parse(row.detail) as Record<string, unknown> }),
  }
}

/** `2026-06-15T12:00:00.123456Z`. @throws StoreError `invalid`. */
export function timeText(timeMs: number): string {
  if (!(timeMs >= FIRST_MS && timeMs <= LAST_MS)) throw invalid('timeMs', timeMs, 'milliseconds in the years 0 to 9999')
  const microseconds = Math.round(timeMs * 1000)
  const whole = Math.floor(microseconds / 1000)
  const rest = String(microseconds - whole * 1000).padStart(3, '0')
  return `${new Date(whole).toISOString().slice(0, -1)}${rest}Z`
}

export function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 23)}Z`) + Number(text.slice(23, 26)) / 1000
}

/** Fits a limit, and SQLite: no NUL, at which many a tool stops reading, and no halves of characters. */
function kept(text: string, name: string, most: number): string {
  if (typeof text !== 'string') throw invalid(name, text, 'a text')
  const clean = text.replaceAll('\0', '\u{FFFD}').toWellFormed()
  return clean.length <= most ? clean : shortened(clean, most, clean.length)
}

/** The beginning of a text that had so many characters, with a mark that says so. */
export function shortened(text: string, most: number, characters: number): string {
  const mark = ` … (${characters} characters)`
  return text.slice(0, most - mark.length).toWellFormed() + mark
}

function detailText(detail: Readonly<Record<string, unknown>>): string {
  const text = jsonOf(detail)
  const bytes = Buffer.byteLength(text)
  if (bytes <= DETAIL_BYTES) return text
  return JSON.stringify(shortenedDetail(text, bytes))
}

/** What stands in place of a detail that had so many bytes as JSON. */
export function shortenedDetail(json: string, bytes: number): { readonly cut: string; readonly start: string } {
  // Escaped once more it is at most twice as long, four bytes a character.
  return { cut: `${bytes} bytes`, start: json.slice(0, DETAIL_BYTES / 8).toWellFormed() }
}

function jsonOf(detail: unknown): string {
  try {
    const text = JSON.stringify(detail)
    if (typeof detail === 'object' && detail !== null && text.startsWith('{')) return text
  } catch (error) {
    throw new StoreError('invalid', `detail is no JSON: ${String(error)}`, { cause: error })
  }
  throw invalid('detail', detail, 'an object of JSON')
}

function invalid(name: string, value: unknown, accepted: string): StoreError {
  const shown = String(value).slice(0, 100)
  return new StoreError('invalid', `${name} of an event is "${shown}"; accepted: ${accepted}`)
}
