/**
 * The store of events on this disk: what an event costs, how many a second it takes, how fast it is copied while it goes on. Beside it
 * the same database with a transaction for each event, and cp.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import type { EventStore, NewEvent } from '../src/record/events/event.ts'
import { eventsBook } from '../src/record/events/book.ts'
import { createEventStore } from '../src/record/events/store.ts'
import { migrate, prepareEmpty } from '../src/record/store/tables.ts'
import { median, type Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
const SINGLE = 50
const SUSTAINED_MS = 5000
const STEADY_PER_SECOND = 5000
const COPIED_BYTES = 48 * 1024 * 1024
const COPIES = 3

export async function eventsRows(work: Workplace): Promise<Row[]> {
  const folder = join(work.folder, 'events')
  mkdirSync(folder)
  const store = createEventStore({ folder, bootId: BOOT })
  try {
    return [await single(store), await sustained(store, folder), await steady(store), await copies(store, folder)]
  } finally {
    await store.close()
  }
}

/** One at a time, each after a pause: until it is on the disk. */
async function single(store: EventStore): Promise<Row> {
  const took: number[] = []
  for (let count = 0; count < SINGLE; count++) {
    await new Promise((resolve) => setTimeout(resolve, 120))
    const began = performance.now()
    await store.append([event(count)])
    took.push(performance.now() - began)
  }
  return {
    what: 'event, alone',
    measured: `on the disk after ${median(took).toFixed(1)} ms`,
    beside: `slowest of ${SINGLE}: ${Math.max(...took).toFixed(1)} ms`,
  }
}

/** As many as it takes, with 2000 on their way. */
async function sustained(store: EventStore, folder: string): Promise<Row> {
  let count = 0
  const before = process.cpuUsage()
  const began = performance.now()
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      while (performance.now() - began < SUSTAINED_MS) {
        await store.append(Array.from({ length: 50 }, (_, index) => event(count + index)))
        count += 50
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  return {
    what: 'events, as many as it takes',
    measured: `${(count / seconds).toFixed(0)}/s, ${((user + system) / count).toFixed(0)} µs of CPU each, both threads`,
    beside: `a transaction for each: ${oneByOne(folder).toFixed(0)}/s`,
  }
}

function oneByOne(folder: string): number {
  const db = new Database(join(folder, 'one-by-one.db'))
  prepareEmpty(db, eventsBook)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  migrate(db, eventsBook)
  const put = db.prepare(`INSERT INTO events VALUES (NULL, ?, ?, NULL, 'api', ?, 'info', ?, ?, ?)`)
  const began = performance.now()
  let count = 0
  for (; performance.now() - began < 1000; count++) {
    const { bootId, type, subject, message, detail } = event(count)
    put.run(bootId, new Date().toISOString(), type, subject, message, JSON.stringify(detail))
  }
  db.close()
  return count
}

/** What the loop of the daemon feels of 5000 events a second. */
async function steady(store: EventStore): Promise<Row> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const took: number[] = []
  const stop = flood(store, (milliseconds) => took.push(milliseconds))
  delay.enable()
  await new Promise((resolve) => setTimeout(resolve, SUSTAINED_MS))
  delay.disable()
  await stop()
  const sorted = took.toSorted((a, b) => a - b)
  return {
    what: `${STEADY_PER_SECOND} events a second`,
    measured: `on the disk after ${median(took).toFixed(0)} ms, p99 ${sorted[Math.floor(sorted.length * 0.99)]!.toFixed(0)} ms`,
    beside: `event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`,
  }
}

/** Ten to a call, as far apart as it takes. Ends by the function. */
function flood(store: EventStore, took: (milliseconds: number) => void): () => Promise<void> {
  const began = performance.now()
  const open = new Set<Promise<unknown>>()
  let count = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * STEADY_PER_SECOND
    for (; count < due; count += 10) {
      const asked = performance.now()
      const adding = store
        .append(Array.from({ length: 10 }, (_, index) => event(count + index)))
        .then(() => took(performance.now() - asked))
        .finally(() => open.delete(adding))
      open.add(adding)
    }
  }, 5)
  return async () => {
    clearInterval(timer)
    await Promise.all(open)
  }
}

async function copies(store: EventStore, folder: string): Promise<Row> {
  while (store.health().sizeBytes < COPIED_BYTES)
    await store.append(Array.from({ length: 500 }, (_, index) => event(index)))
  const still = await copyRates(store)
  const stop = flood(store, () => {})
  const flooded = await copyRates(store)
  await stop()
  const began = performance.now()
  execFileSync('cp', [store.path, join(folder, 'copy.db')])
  const cp = statSync(store.path).size / 1e6 / ((performance.now() - began) / 1000)
  return {
    what: `snapshot of ${(statSync(store.path).size / 1e6).toFixed(0)} MB`,
    measured: `${median(still).toFixed(0)} MB/s, under ${STEADY_PER_SECOND} events a second ${median(flooded).toFixed(0)} MB/s`,
    beside: `cp, without a snapshot: ${cp.toFixed(0)} MB/s`,
  }
}

async function copyRates(store: EventStore): Promise<number[]> {
  const rates: number[] = []
  for (let copy = 0; copy < COPIES; copy++) {
    const began = performance.now()
    const snapshot = await store.snapshot()
    let bytes = 0
    let step = await snapshot.chunks.next()
    for (; !step.done; step = await snapshot.chunks.next()) bytes += step.value.length
    if (!step.value.whole) throw new Error(step.value.detail)
    rates.push(bytes / 1e6 / ((performance.now() - began) / 1000))
  }
  return rates
}

function event(number: number): NewEvent {
  return {
    timeMs: Date.now(),
    monotonicMs: performance.now(),
    bootId: BOOT,
    source: 'systemd',
    type: 'unit.failed',
    level: 'error',
    subject: `worker@${number % 100}.service`,
    message: `worker@${number % 100}.service: main process exited, code=exited, status=${number % 7}, after ${number} s`,
    detail: { exitCode: number % 7, restarts: number % 5 },
  }
}
