/** Outboxes in folders of their own, under a clock that the test sets. */
import { openStoreThread } from '../../../src/record/store-thread.ts'
import { createOutbox, type Outbox, type OutboxOptions } from '../../../src/upload/outbox/outbox.ts'
import type { UploadRecord, UploadWish } from '../../../src/upload/upload.ts'
import { onTestFinished } from 'vitest'

export const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
export const NOON_MS = Date.UTC(2026, 5, 15, 12)
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export interface TestOutbox extends Outbox {
  /** It is so late now. */
  at(ms: number): void
}

export function outboxIn(folder: string, options: Partial<OutboxOptions> = {}): TestOutbox {
  let nowMs = NOON_MS
  const outbox = createOutbox({
    folder,
    bootId: BOOT,
    thread: openStoreThread(),
    now: () => nowMs,
    tell: () => {},
    probeMs: 20,
    // What the tests call now is long ago, or in the future.
    maxAgeMs: 1e14,
    ...options,
  })
  onTestFinished(() => outbox.close())
  return { ...outbox, at: (ms) => void (nowMs = ms) }
}

export function wish(trigger: UploadWish['trigger'], more: Partial<UploadWish> = {}): UploadWish {
  return { trigger, reason: `because of ${trigger}`, parameters: {}, timeMs: NOON_MS, ...more }
}

export async function putInto(outbox: Outbox, one: UploadWish): Promise<UploadRecord> {
  return (await outbox.put(one)).record!
}
