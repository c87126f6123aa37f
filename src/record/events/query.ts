/** A filter as SQL. */
import { LEVELS, type EventFilter } from './event.ts'
import { timeText } from './row.ts'
import { StoreError } from '../store/error.ts'

const MOST_EVENTS = 1000
const TEXT_CHARACTERS = 256

export interface Query {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

const COLUMNS = `id, boot_id AS bootId, time, monotonic_ms AS monotonicMs, source, type, level, subject, message, detail`

/** The boot is a boot id here. @throws StoreError `invalid`. */
export function queryOf(filter: Omit<EventFilter, 'boot'> & { readonly boot?: string }): Query {
  const { limit } = filter
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_EVENTS)
    throw new StoreError('invalid', `limit is ${limit}; accepted: 1 to ${MOST_EVENTS}`)
  const conditions = conditionsOf(filter)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`
  // Ids first: what is sorted are numbers, not messages.
  const order = filter.afterId === undefined ? 'DESC' : 'ASC'
  const ids = `SELECT id FROM events ${where} ORDER BY id ${order} LIMIT ?`
  return {
    sql: `SELECT ${COLUMNS} FROM events WHERE id IN (${ids}) ORDER BY id ${order}`,
    values: [...conditions.flatMap(({ values }) => values), limit],
  }
}

function conditionsOf(filter: Omit<EventFilter, 'boot'> & { readonly boot?: string }): Query[] {
  const found: Query[] = []
  const add = (sql: string, ...values: (string | number)[]) => found.push({ sql, values })
  if (filter.beforeId !== undefined) add('id < ?', filter.beforeId)
  if (filter.afterId !== undefined) add('id > ?', filter.afterId)
  if (filter.boot !== undefined) add('boot_id = ?', filter.boot)
  if (filter.source !== undefined) add('source = ?', filter.source)
  if (filter.sinceMs !== undefined) add('time >= ?', boundText(filter.sinceMs))
  if (filter.untilMs !== undefined) add('time <= ?', boundText(filter.untilMs))
  if (filter.typePrefix !== undefined) {
    const prefix = filter.typePrefix.replace(/\.$/, '')
    // A range, for the index: `/` is the character behind `.`.
    add('(type = ? OR (type > ? AND type < ?))', prefix, `${prefix}.`, `${prefix}/`)
  }
  if (filter.level !== undefined && filter.level !== 'debug') {
    const graver = LEVELS.slice(LEVELS.indexOf(filter.level))
    // In the words of the index, so that it is used.
    if (filter.level !== 'info') add(`level IN ('warning', 'error', 'critical')`)
    if (filter.level !== 'warning') add(`level IN (${graver.map(() => '?').join(', ')})`, ...graver)
  }
  if (filter.text !== undefined) {
    const text = filter.text.slice(0, TEXT_CHARACTERS).replaceAll(/[\\%_]/g, String.raw`\$&`)
    add(String.raw`(subject LIKE ? ESCAPE '\' OR message LIKE ? ESCAPE '\')`, `%${text}%`, `%${text}%`)
  }
  return found
}

/** A bound may lie beyond what an event can have. */
function boundText(timeMs: number): string {
  return timeText(Math.min(Math.max(timeMs, Date.parse('0000-01-01T00:00:00Z')), Date.parse('9999-12-30T00:00:00Z')))
}
