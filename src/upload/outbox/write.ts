/** Rows into uploads.db. Each is one transaction: what it stands for is done when it is there. */
import type Database from 'better-sqlite3'
import type { Written } from '../../record/store/book.ts'
import { StoreError } from '../../record/store/error.ts'
import type { UploadRecord } from '../upload.ts'
import { rankOf, recordOf, rowOf, type Row } from './row.ts'

/** What is known of all rows after each write. */
export interface Tally {
  readonly waiting: number
  /** Of the first that waits for its time. */
  readonly nextTryMs: number | null
  readonly lastUploadedMs: number | null
}

export interface Put {
  /** The id is not known yet. */
  readonly record: Omit<UploadRecord, 'id'>
  readonly mostWaiting: number
  /** The run of a schedule that it is: kept together. */
  readonly plan?: { readonly name: string; readonly timeMs: number } | undefined
}

export interface PutReply {
  /** undefined: the run of the schedule was skipped, for the one before waits or is on its way. */
  readonly record?: UploadRecord
  /** What went for want of room. */
  readonly dropped: readonly UploadRecord[]
  readonly tally: Tally
}

const COLUMNS = Object.keys(rowOf({ parameters: {} } as UploadRecord, 0))
const NAMED = COLUMNS.map((name) => `@${name}`).join(', ')
const CHANGED = COLUMNS.filter((name) => name !== 'id').map((name) => `${name} = excluded.${name}`)
const KEEP = `INSERT INTO uploads (${COLUMNS.join(', ')}) VALUES (${NAMED}) ON CONFLICT (id) DO UPDATE SET ${CHANGED.join(', ')}`
const KEEP_PLAN = 'INSERT OR REPLACE INTO plans (name, time_ms) VALUES (?, ?)'
/** The clock was set back by more than that since it was decided how long something waits. */
const SET_BACK_MS = 60_000

/** @throws StoreError `busy` when too many wait, and none of them may go for this one. */
export function put(db: Database.Database, { record, mostWaiting, plan }: Put): Written<PutReply> {
  const reply = db.transaction((): PutReply => {
    if (plan) db.prepare(KEEP_PLAN).run(plan.name, plan.timeMs)
    if (plan && isPending(db, record.trigger)) return { dropped: [], tally: tallyOf(db) }
    const dropped = makeRoom(db, record, mostWaiting)
    const { lastInsertRowid } = db.prepare(KEEP).run({ ...rowOf({ ...record, id: 0 }, record.createdMs), id: null })
    return { record: { ...record, id: Number(lastInsertRowid) }, dropped, tally: tallyOf(db) }
  })
  const done = reply.immediate()
  const { record: made } = done
  const isThere = (now: Database.Database) =>
    made === undefined ? plan?.timeMs === planned(now, plan!.name) : has(now, made)
  return { reply: done, rows: made ? 1 : 0, isThere }
}

/** The whole row, also where the database was lost meanwhile: what is on its way is not forgotten. */
export function keep(
  db: Database.Database,
  { record, nowMs }: { readonly record: UploadRecord; readonly nowMs: number },
): Written<Tally> {
  const before = db.prepare('SELECT 1 FROM uploads WHERE id = ?').get(record.id)
  db.prepare(KEEP).run(rowOf(record, nowMs))
  return { reply: tallyOf(db), rows: before ? 0 : 1, isThere: (now) => has(now, record) }
}

export interface Next {
  readonly due?: UploadRecord
  readonly tally: Tally
}

/** What goes next. Where the clock was set back, what waits begins its wait anew. */
export function next(db: Database.Database, { nowMs }: { readonly nowMs: number }): Written<Next> {
  db.prepare(
    `UPDATE uploads SET next_try_ms = ? + max(0, next_try_ms - decided_ms), decided_ms = ?
     WHERE state = 'waiting' AND decided_ms > ?`,
  ).run(nowMs, nowMs, nowMs + SET_BACK_MS)
  const due = db
    .prepare(`SELECT * FROM uploads WHERE state = 'waiting' AND next_try_ms <= ? ORDER BY rank, created_ms, id LIMIT 1`)
    .get(nowMs) as Row | undefined
  return { reply: { ...(due ? { due: recordOf(due) } : {}), tally: tallyOf(db) }, rows: 0, isThere: () => true }
}

/** What failed before is tried by then: something changed. */
export function hurry(
  db: Database.Database,
  { byMs, nowMs }: { readonly byMs: number; readonly nowMs: number },
): Written<Tally> {
  db.prepare(
    `UPDATE uploads SET next_try_ms = ?, decided_ms = ?
     WHERE state = 'waiting' AND last_error IS NOT NULL AND next_try_ms > ?`,
  ).run(byMs, nowMs, byMs)
  return { reply: tallyOf(db), rows: 0, isThere: () => true }
}

/** Nothing of this upload in parts is left at the target. */
export function removed(
  db: Database.Database,
  { id, multipartId }: { readonly id: number; readonly multipartId: string },
): Written<undefined> {
  const these = 'id = ? AND multipart_id = ?'
  db.prepare(`UPDATE uploads SET multipart_id = NULL WHERE ${these}`).run(id, multipartId)
  const isThere = (now: Database.Database) =>
    now.prepare(`SELECT 1 FROM uploads WHERE ${these}`).get(id, multipartId) === undefined
  return { reply: undefined, rows: 0, isThere }
}

/** From where on a schedule counts. */
export function plan(
  db: Database.Database,
  { name, timeMs }: { readonly name: string; readonly timeMs: number },
): Written<undefined> {
  db.prepare(KEEP_PLAN).run(name, timeMs)
  return { reply: undefined, rows: 0, isThere: (now) => planned(now, name) === timeMs }
}

export function planned(db: Database.Database, name: string): number | undefined {
  return db.prepare('SELECT time_ms FROM plans WHERE name = ?').pluck().get(name) as number | undefined
}

export function tallyOf(db: Database.Database): Tally {
  return db
    .prepare(
      `SELECT (SELECT count(*) FROM uploads WHERE state = 'waiting') AS waiting,
        (SELECT min(next_try_ms) FROM uploads WHERE state = 'waiting') AS nextTryMs,
        (SELECT max(finished_ms) FROM uploads WHERE state = 'uploaded') AS lastUploadedMs`,
    )
    .get() as Tally
}

function isPending(db: Database.Database, trigger: string): boolean {
  const sql = `SELECT 1 FROM uploads WHERE trigger = ? AND state IN ('waiting', 'running')`
  return db.prepare(sql).get(trigger) !== undefined
}

/** The oldest of the least urgent goes; what a person asked for and what a shutdown left do not. */
function makeRoom(db: Database.Database, { trigger, createdMs }: Put['record'], most: number): UploadRecord[] {
  const dropped: UploadRecord[] = []
  for (let { waiting } = tallyOf(db); waiting >= most; waiting--) {
    const row = db
      .prepare(
        `SELECT * FROM uploads WHERE state = 'waiting' AND rank >= max(?, 2) ORDER BY rank DESC, created_ms, id LIMIT 1`,
      )
      .get(rankOf(trigger)) as Row | undefined
    if (!row) throw new StoreError('busy', `${waiting} uploads wait already, and none of them may go for this one`)
    const { nextTryMs: _, ...rest } = recordOf(row)
    const record: UploadRecord = { ...rest, state: 'dropped', finishedMs: createdMs }
    db.prepare(KEEP).run(rowOf(record, createdMs))
    dropped.push(record)
  }
  return dropped
}

function has(db: Database.Database, { id, state, tries, createdMs }: UploadRecord): boolean {
  const sql = 'SELECT 1 FROM uploads WHERE id = ? AND state = ? AND tries = ? AND created_ms = ?'
  return db.prepare(sql).get(id, state, tries, Math.round(createdMs)) !== undefined
}
