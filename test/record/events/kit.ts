/** Stores in folders of their own, and events to put into them. */
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import type { NewEvent, Snapshot, SnapshotEnd } from '../../../src/record/events/event.ts'
import { eventsBook } from '../../../src/record/events/book.ts'
import { createEventStore, type EventStoreOptions, type OwnEventStore } from '../../../src/record/events/store.ts'
import { migrate, prepareEmpty } from '../../../src/record/store/tables.ts'

export const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
export const BOOT_BEFORE = '0f1e2d3c-0000-4000-8000-000000000000'
export const NOON_MS = Date.UTC(2026, 5, 15, 12)

export async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Closed when the test ends. Nothing is too old, whatever time the events of the test have. */
export function storeIn(folder: string, options: Partial<EventStoreOptions> = {}): OwnEventStore {
  const store = createEventStore({ folder, bootId: BOOT, maxAgeMs: 1e14, probeMs: 20, ...options })
  onTestFinished(() => store.close())
  return store
}

export function event(message: string, more: Partial<NewEvent> = {}): NewEvent {
  return {
    timeMs: NOON_MS,
    bootId: BOOT,
    source: 'api',
    type: 'test.event',
    level: 'info',
    subject: '',
    message,
    ...more,
  }
}

/** In memory, with today's tables. */
export function emptyDatabase(): Database.Database {
  const db = new Database(':memory:')
  prepareEmpty(db, eventsBook)
  migrate(db, eventsBook)
  return db
}

/** What another program sees in the database. */
export function ask<T>(path: string, sql: string, ...values: unknown[]): T[] {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return db.prepare(sql).all(...values) as T[]
  } finally {
    db.close()
  }
}

/** All bytes of a snapshot in a file, and how it ended. */
export async function copyTo(path: string, snapshot: Snapshot): Promise<SnapshotEnd> {
  const parts: Buffer[] = []
  let step = await snapshot.chunks.next()
  for (; !step.done; step = await snapshot.chunks.next()) parts.push(Buffer.from(step.value))
  writeFileSync(path, Buffer.concat(parts))
  return step.value
}

/** Resolves when it holds, as told by something that changes it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}
