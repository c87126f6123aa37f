/** What becomes of uploads, as events and as numbers. */
import { ownType, type OwnEventType } from '../../record/classify/own.ts'
import type { NewEvent } from '../../record/events/event.ts'
import { monotonicNowMs } from '../../record/recorder/clock.ts'
import { FAILURES, type FailureKind, type UploadCounts, type UploadFailure, type UploadRecord } from '../upload.ts'
import { countedTries, nextTryText } from '../words.ts'

export interface Telling {
  due(record: UploadRecord): void
  began(): void
  bytes(count: number): void
  uploaded(record: UploadRecord, notes?: readonly string[]): void
  /** The try failed, and perhaps it was the last. */
  failed(record: UploadRecord): void
  interrupted(record: UploadRecord, why: string): void
  dropped(record: UploadRecord): void
  /** What these left at the target could not be removed. */
  left(records: readonly UploadRecord[], failure: UploadFailure): void
  skipped(message: string): void
  /** All but what the outbox knows. */
  counts(): Omit<UploadCounts, 'waiting' | 'lastUploadedMs'>
}

/** In one sentence. */
const MOST_NAMED = 5

export function createTelling(tell: (event: NewEvent) => void, bootId: string, now: () => number): Telling {
  const failed = Object.fromEntries(FAILURES.map((kind) => [kind, 0])) as Record<FailureKind, number>
  const counts = { started: 0, uploaded: 0, failed, gaveUp: 0, dropped: 0, skipped: 0, sentBytes: 0 }
  const say = (name: OwnEventType, subject: string, message: string, detail: Record<string, unknown> = {}) => {
    const moment = { timeMs: now(), monotonicMs: monotonicNowMs(), bootId }
    tell({ ...moment, ...ownType(name), subject, message, detail })
  }
  const of = (name: OwnEventType, record: UploadRecord, message: string, more: Record<string, unknown> = {}) => {
    const { id, trigger, reason, tries, bundleId, key } = record
    say(name, String(id), message, { trigger, reason, tries, bundleId, key, ...more })
  }
  return {
    due: (record) =>
      of('upload.due', record, `a bundle is to be sent (${record.trigger}): ${record.reason}`, {
        at: iso(record.nextTryMs),
      }),
    began: () => void (counts.started += 1),
    bytes: (count) => void (counts.sentBytes += count),
    uploaded(record, notes = []) {
      counts.uploaded += 1
      const { sizeBytes, sha256, verified, outcome } = record
      const facts = { sizeBytes, sha256, verified, outcome, notes }
      of(
        'upload.done',
        record,
        `${sizeBytes} bytes arrived as ${record.key} (${record.trigger})${notes.map((note) => `; ${note}`).join('')}`,
        facts,
      )
    },
    failed(record) {
      const { kind, message, permanent } = record.lastError!
      counts.failed[kind] += 1
      const facts = { kind, permanent, nextTry: iso(record.nextTryMs) }
      const next =
        record.state === 'gave-up' ? 'it is not tried again' : nextTryText(iso(record.nextTryMs), { permanent })
      of('upload.failed', record, `try ${record.tries} failed (${kind}): ${message}; ${next}`, facts)
      if (record.state !== 'gave-up') return
      counts.gaveUp += 1
      of('upload.gave-up', record, `after ${countedTries(record.tries)} it is not sent (${kind}): ${message}`, facts)
    },
    interrupted: (record, why) => of('upload.interrupted', record, `broken off: ${why}; it waits to be sent again`),
    dropped(record) {
      counts.dropped += 1
      of('upload.dropped', record, `too many bundles wait to be sent; this one goes (${record.trigger})`)
    },
    left(records, { kind, message, permanent }) {
      const named = records.slice(0, MOST_NAMED)
      const keys = named.map(({ key }) => key)
      const more = records.length > named.length ? ` and ${records.length - named.length} more` : ''
      say(
        'upload.left',
        named.map(({ id }) => id).join(' '),
        `what was sent of ${keys.join(', ')}${more} could not be removed (${kind}): ${message}; it is tried again at the next start of diagd`,
        { kind, permanent, keys },
      )
    },
    skipped(message) {
      counts.skipped += 1
      say('upload.skipped', 'schedule', message)
    },
    counts: () => ({ ...counts, failed: { ...failed } }),
  }
}

function iso(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString()
}
