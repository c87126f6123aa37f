/** An upload as people and programs are shown it: in GET /uploads, and in a bundle. */
import type { UploadRecord } from './upload.ts'

/** Times as ISO 8601; what is not known yet is missing. */
export function shownUpload(record: UploadRecord) {
  const { timeMs, createdMs, nextTryMs, startedMs, finishedMs, multipartId: _, lastError, ...rest } = record
  const { id, trigger, reason, state, tries, ...more } = rest
  const failure = lastError && { kind: lastError.kind, message: lastError.message, permanent: lastError.permanent }
  return {
    id,
    state,
    trigger,
    reason,
    time: timeText(timeMs),
    created: timeText(createdMs),
    started: timeText(startedMs),
    finished: timeText(finishedMs),
    tries,
    nextTry: timeText(nextTryMs),
    lastError: failure,
    ...more,
  }
}

function timeText(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString()
}
