/** A row of uploads.db, and what the program makes of it. */
import type { Trigger, UploadFailure, UploadRecord } from '../upload.ts'

export interface Row {
  readonly id: number
  readonly trigger: string
  readonly rank: number
  readonly reason: string
  readonly parameters: string
  readonly time_ms: number
  readonly created_ms: number
  readonly boot_id: string
  readonly state: string
  readonly tries: number
  readonly next_try_ms: number | null
  readonly decided_ms: number
  readonly last_error: string | null
  readonly started_ms: number | null
  readonly finished_ms: number | null
  readonly bundle_id: string | null
  readonly key: string | null
  readonly size_bytes: number | null
  readonly sha256: string | null
  readonly verified: number | null
  readonly multipart_id: string | null
  readonly outcome: string | null
}

/** Who waits for a person goes before what a machine asked for; what is told by the clock is told again. */
export function rankOf(trigger: Trigger): number {
  if (trigger === 'shutdown') return 0
  if (trigger === 'request') return 1
  return trigger === 'schedule' ? 3 : 2
}

export function rowOf(record: UploadRecord, decidedMs: number): Row {
  const { lastError, verified } = record
  return {
    id: record.id,
    trigger: record.trigger,
    rank: rankOf(record.trigger),
    reason: record.reason,
    parameters: JSON.stringify(record.parameters),
    time_ms: Math.round(record.timeMs),
    created_ms: Math.round(record.createdMs),
    boot_id: record.bootId,
    state: record.state,
    tries: record.tries,
    next_try_ms: rounded(record.nextTryMs),
    decided_ms: Math.round(decidedMs),
    last_error: lastError === undefined ? null : JSON.stringify(lastError),
    started_ms: rounded(record.startedMs),
    finished_ms: rounded(record.finishedMs),
    bundle_id: record.bundleId ?? null,
    key: record.key ?? null,
    size_bytes: record.sizeBytes ?? null,
    sha256: record.sha256 ?? null,
    verified: verified === undefined ? null : Number(verified),
    multipart_id: record.multipartId ?? null,
    outcome: record.outcome ?? null,
  }
}

export function recordOf(row: Row): UploadRecord {
  const optional = {
    nextTryMs: row.next_try_ms,
    lastError: row.last_error === null ? null : (JSON.parse(row.last_error) as UploadFailure),
    startedMs: row.started_ms,
    finishedMs: row.finished_ms,
    bundleId: row.bundle_id,
    key: row.key,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    verified: row.verified === null ? null : row.verified === 1,
    multipartId: row.multipart_id,
    outcome: row.outcome as UploadRecord['outcome'] | null,
  }
  const known = Object.entries(optional).filter(([, value]) => value !== null)
  return {
    id: row.id,
    trigger: row.trigger as Trigger,
    reason: row.reason,
    parameters: JSON.parse(row.parameters) as Record<string, string>,
    timeMs: row.time_ms,
    createdMs: row.created_ms,
    bootId: row.boot_id,
    state: row.state as UploadRecord['state'],
    tries: row.tries,
    ...Object.fromEntries(known),
  }
}

function rounded(number: number | undefined): number | null {
  return number === undefined ? null : Math.round(number)
}
