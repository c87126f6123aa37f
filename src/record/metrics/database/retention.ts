/** Keeps metrics.db within its ages and its size, in steps of some milliseconds: samples come in between. */
import type Database from 'better-sqlite3'
import type { Bounds, Maintained } from '../../store/book.ts'
import { usedBytes } from '../../store/pages.ts'
import { TABLES } from './columns.ts'
import { progressOf, setProgress } from './progress.ts'
import { MINUTE_MS, rollUp } from './roll-up.ts'
import { preparing } from './statements.ts'
import { thingIds } from './things.ts'

export interface RetentionSettings {
  readonly maxBytes: number
  /** Older samples go, older minutes go, milliseconds. */
  readonly sampleAgeMs: number
  readonly minuteAgeMs: number
  /** Between two samples, as it is meant to be. */
  readonly intervalMs: number
}

/** What one step may take: a sample waits no longer for it. */
const STEP_MS = 15
/** Farther in the future than that, a time is a mistake. */
const AHEAD_MS = 24 * 60 * 60 * 1000
/** How long it is worth a word that something went for want of room. */
const TOLD_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000

/** Rolls up the minutes that are over; then what is too old or too much goes, the oldest first. */
export function maintain(db: Database.Database, settings: RetentionSettings, bounds: Bounds): Maintained {
  const began = performance.now()
  let rows = 0
  let more = true
  while (more && performance.now() - began < STEP_MS) {
    const gone = rollUp(db) ? 0 : dropOldest(db, settings, bounds)
    more = gone !== undefined
    rows += gone ?? 0
  }
  return { rows, more, notes: notes(db, settings, bounds.nowMs) }
}

interface Minute {
  readonly id: number
  readonly last: number
  readonly timeMs: number
}

/** What is of one minute goes: its samples, or what was made of them. Returns how many samples went; undefined when nothing has to. */
function dropOldest(db: Database.Database, settings: RetentionSettings, bounds: Bounds): number | undefined {
  const { sampleAgeMs, minuteAgeMs } = settings
  const tooLarge = usedBytes(db) > bounds.maxPageBytes
  const ofSamples = oldestWithSamples(db)
  const ofMinutes = oldestWithout(db, ofSamples)
  const samplesFirst =
    tooLarge && ofSamples && (!ofMinutes || shareOfSamples(db, settings) > shareOfMinutes(db, settings))
  if (ofSamples && (samplesFirst || isOld(ofSamples, sampleAgeMs, bounds)))
    return drop(db, tooLarge ? bounds.nowMs : 0, () => dropSamples(db, ofSamples))
  if (!ofMinutes || !(tooLarge || isOld(ofMinutes, minuteAgeMs, bounds))) return undefined
  return drop(db, tooLarge ? bounds.nowMs : 0, () => dropMinute(db, ofMinutes))
}

function drop(db: Database.Database, cutMs: number, work: () => number): number {
  return db
    .transaction(() => {
      if (cutMs > 0) setProgress(db, 'cut', Math.round(cutMs))
      return work()
    })
    .immediate()
}

function isOld({ timeMs }: Minute, ageMs: number, { nowMs }: Bounds): boolean {
  return timeMs + MINUTE_MS <= nowMs - ageMs || timeMs > nowMs + AHEAD_MS
}

const MINUTE = 'SELECT id, last_sample AS last, time_ms AS timeMs FROM minutes'

/** Samples go by whole minutes, and not before those were made of them: what is kept of a time is one or the other. */
function oldestWithSamples(db: Database.Database): Minute | undefined {
  const sql = `${MINUTE} WHERE id <= (SELECT min(id) FROM samples) ORDER BY id DESC LIMIT 1`
  const minute = preparing(db)(sql).get() as Minute | undefined
  const oldest = preparing(db)('SELECT min(id) AS id FROM samples').get() as { id: number | null }
  return minute && oldest.id !== null && oldest.id <= minute.last ? minute : undefined
}

/** The oldest minute, if its samples are gone: minutes stay as long as samples, whatever is wished for. */
function oldestWithout(db: Database.Database, withSamples: Minute | undefined): Minute | undefined {
  const oldest = preparing(db)(`${MINUTE} ORDER BY id LIMIT 1`).get() as Minute | undefined
  return oldest && oldest.id !== withSamples?.id ? oldest : undefined
}

/** How much there is of what there should be: where the room is too small, both are cut by the same share. */
function shareOfSamples(db: Database.Database, { sampleAgeMs, intervalMs }: RetentionSettings): number {
  return (count(db, 'samples') * intervalMs) / sampleAgeMs
}

function shareOfMinutes(db: Database.Database, { minuteAgeMs }: RetentionSettings): number {
  return (count(db, 'minutes') * MINUTE_MS) / minuteAgeMs
}

function count(db: Database.Database, table: 'samples' | 'minutes'): number {
  return (preparing(db)(`SELECT count(*) AS number FROM ${table}`).get() as { number: number }).number
}

function dropSamples(db: Database.Database, { last }: Minute): number {
  const sql = preparing(db)
  for (const { subject } of TABLES) sql(`DELETE FROM ${subject}_samples WHERE sample <= ?`).run(last)
  return sql('DELETE FROM samples WHERE id <= ?').run(last).changes
}

/** And what was seen in no later one. */
function dropMinute(db: Database.Database, { id }: Minute): number {
  const sql = preparing(db)
  for (const { subject, things } of TABLES) {
    sql(`DELETE FROM ${subject}_minutes WHERE minute <= ?`).run(id)
    if (things !== undefined) sql(`DELETE FROM ${things} WHERE last_minute <= ?`).run(id)
  }
  sql('DELETE FROM minutes WHERE id <= ?').run(id)
  // What is kept begins with a minute: samples never outlive theirs.
  const oldest = sql(`${MINUTE} ORDER BY id LIMIT 1`).get() as Minute | undefined
  sql('DELETE FROM marks WHERE sample < ?').run(oldest?.id ?? 0)
  sql('DELETE FROM boots WHERE id < (SELECT boot FROM minutes ORDER BY id LIMIT 1)').run()
  thingIds(db).forget()
  return 0
}

/** What the room does not suffice for. */
function notes(
  db: Database.Database,
  { maxBytes, sampleAgeMs, minuteAgeMs }: RetentionSettings,
  nowMs: number,
): string[] {
  const cutMs = progressOf(db, 'cut')
  if (cutMs === 0 || Math.abs(nowMs - cutMs) > TOLD_MS) return []
  const hours = (ms: number) => `${Math.round(ms / HOUR_MS)} h`
  const mib = Math.round(maxBytes / 1024 / 1024)
  return [
    `${mib} MiB hold ${hours(spanOf(db, 'samples'))} of samples (${hours(sampleAgeMs)} are wished for) and ` +
      `${hours(spanOf(db, 'minutes'))} of minutes (${hours(minuteAgeMs)}); the oldest are deleted`,
  ]
}

/** From the first to the last, milliseconds. */
function spanOf(db: Database.Database, table: 'samples' | 'minutes'): number {
  const end = (order: string) => `(SELECT time_ms FROM ${table} ORDER BY id ${order} LIMIT 1)`
  const row = preparing(db)(`SELECT ${end('DESC')} - ${end('ASC')} AS span`).get() as { span: number | null }
  return Math.max(row.span ?? 0, 0)
}
