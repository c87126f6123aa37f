/** uploads.db, as src/record/store/ keeps it. */
import type Database from 'better-sqlite3'
import type { Book } from '../../record/store/book.ts'
import type { Trigger, UploadRecord, UploadState } from '../upload.ts'
import { UPLOADS_LABEL } from './label.ts'
import { maintain, type RetentionSettings } from './retention.ts'
import { recordOf, type Row } from './row.ts'
import { APPLICATION_ID, MIGRATIONS } from './schema.ts'
import { hurry, keep, next, plan, planned, put, removed, tallyOf } from './write.ts'

export const uploadsBook = {
  ...UPLOADS_LABEL,
  applicationId: APPLICATION_ID,
  migrations: MIGRATIONS,
  table: 'uploads',
  reads: { list, left, get, fired, planned, tally: tallyOf },
  writes: { put, keep, next, hurry, removed, plan },
  maintain,
} satisfies Book<RetentionSettings>

/** The newest first. */
function list(
  db: Database.Database,
  { limit, state = '' }: { readonly limit: number; readonly state?: UploadState | '' | undefined },
): readonly UploadRecord[] {
  const sql = `SELECT * FROM uploads WHERE @state IN ('', state) ORDER BY id DESC LIMIT @limit`
  return (db.prepare(sql).all({ state, limit }) as Row[]).map((row) => recordOf(row))
}

/** Something of these may still lie at the target, and they are not on their way; the newest first. */
function left(db: Database.Database): readonly UploadRecord[] {
  const sql = `SELECT * FROM uploads WHERE multipart_id IS NOT NULL AND state <> 'running' ORDER BY id DESC`
  return (db.prepare(sql).all() as Row[]).map((row) => recordOf(row))
}

function get(db: Database.Database, id: number): UploadRecord | undefined {
  const row = db.prepare('SELECT * FROM uploads WHERE id = ?').get(id) as Row | undefined
  return row && recordOf(row)
}

function fired(
  db: Database.Database,
  { trigger, sinceMs }: { readonly trigger: Trigger; readonly sinceMs: number },
): { readonly count: number; readonly lastMs?: number } {
  const sql = 'SELECT count(*) AS count, max(created_ms) AS lastMs FROM uploads WHERE trigger = ? AND created_ms >= ?'
  const { count, lastMs } = db.prepare(sql).get(trigger, sinceMs) as { count: number; lastMs: number | null }
  return { count, ...(lastMs === null ? {} : { lastMs }) }
}
