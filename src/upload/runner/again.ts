/** When a failed upload is tried again, and when no more. */
import type { UploadFailure, UploadRecord } from '../upload.ts'

/** What failed before is tried so soon after a start, or after something arrived: not at once, for diagd may be dying again and again. */
export const SOON_MS = 30_000
const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const FIRST_MS = 30_000
const MOST_MS = HOUR_MS
/** Somebody has to change something. Whoever did and does not want to wait restarts diagd, or sends anything else that arrives. */
const PERMANENT_MS = 6 * HOUR_MS
/** Two days of an outage; each costs a bundle. */
const MOST_TRIES = 50
const MOST_AGE_MS = 7 * DAY_MS
/** A clock that was set by years makes nothing old that was hardly tried. */
const FEW_TRIES = 10
/** What a server asks for is believed up to there. */
const MOST_ASKED_MS = DAY_MS

/**
 * Milliseconds until the next try: 30 s, doubled with each to an hour, a fifth more or less by chance, so that a fleet does not come at once.
 * @param random 0 to 1.
 */
function delayMs(tries: number, { permanent, retryAfterMs = 0 }: UploadFailure, random: number): number {
  const base = permanent ? PERMANENT_MS : Math.min(FIRST_MS * 2 ** Math.min(tries - 1, 30), MOST_MS)
  const wanted = base * (0.8 + 0.4 * random)
  return Math.round(Math.max(wanted, Math.min(retryAfterMs, MOST_ASKED_MS)))
}

function isHopeless({ tries, createdMs }: UploadRecord, nowMs: number): boolean {
  return tries >= MOST_TRIES || (tries >= FEW_TRIES && nowMs - createdMs > MOST_AGE_MS)
}

/** What becomes of a row whose try failed. */
export function afterFailure(
  record: UploadRecord,
  lastError: UploadFailure,
  { nowMs, random }: { readonly nowMs: number; readonly random: number },
): UploadRecord {
  const { nextTryMs: _, ...rest } = record
  if (isHopeless(record, nowMs)) return { ...rest, state: 'gave-up', lastError, finishedMs: nowMs }
  return { ...rest, state: 'waiting', lastError, nextTryMs: nowMs + delayMs(record.tries, lastError, random) }
}

/** Of a row that was on its way when the process before died. */
export const KILLED: UploadFailure = {
  kind: 'killed',
  message: 'diagd ended in the midst of it; it may have arrived all the same, and is sent again under the same key',
  permanent: false,
}
