import { expect, test } from 'vitest'
import type { ReadingRow } from '../../../src/record/metrics/metric.ts'
import { createMeasuredTriggers } from '../../../src/upload/due/measured.ts'
import { bench, MINUTE, NOON_MS, SECOND, triggersOf } from './kit.ts'

const EVERY_MS = 10 * SECOND

/** A machine of which each sample waits for memory or I/O for a part of its time. */
function machine(triggers: unknown) {
  const look = createMeasuredTriggers(triggersOf(triggers))
  const waited = { memory: 100, io: 200 }
  let atMs = 0
  return {
    /** @returns the reasons, of `count` samples. */
    for(count: number, part: Partial<typeof waited>): string[] {
      return Array.from({ length: count }, () => {
        atMs += EVERY_MS
        waited.memory += (part.memory ?? 0) * 10
        waited.io += (part.io ?? 0) * 10
        const values = { pressure_memory_full_seconds: waited.memory, pressure_io_full_seconds: waited.io }
        const row: ReadingRow = { subject: 'host', labels: {}, values }
        return look({ timeMs: NOON_MS + atMs, monotonicMs: atMs, rows: [row] }).map(({ reason }) => reason)
      }).flat()
    },
  }
}

test('pressure has to last, on the average', () => {
  const it = machine({ pressure: { for: '2m', memory: 20 } })
  expect(it.for(13, { memory: 0 })).toEqual([])
  expect(it.for(2, { memory: 1 })).toEqual([])
  expect(it.for(11, { memory: 0 })).toEqual([])
  const steps = [0.5, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5, 0.1]
  expect(steps.flatMap((memory) => it.for(1, { memory }))).toEqual([
    'in 120 s everything waited for memory 20 % of the time',
  ])
})

test('it is told once, and again when it was better in between', () => {
  const it = machine({ pressure: { for: '1m', io: 60 } })
  expect(it.for(30, { io: 0.9 })).toEqual(['in 60 s everything waited for I/O 90 % of the time'])
  expect(it.for(6, { io: 0.5 })).toEqual([])
  expect(it.for(6, { io: 0.9 })).toEqual([])
  expect(it.for(12, { io: 0 })).toEqual([])
  expect(it.for(30, { io: 0.9 })).toHaveLength(1)
})

test('memory and I/O are told apart', () => {
  const it = machine({ pressure: { for: '1m', io: 60, memory: 20 } })
  expect(it.for(7, { io: 1, memory: 0.1 })).toHaveLength(1)
  expect(it.for(7, { io: 1, memory: 1 })).toEqual([expect.stringContaining('memory')])
})

test('a machine without pressure in its kernel is silent', () => {
  const look = createMeasuredTriggers(triggersOf({ pressure: { for: '1m' } }))
  for (let atMs = 0; atMs < 5 * MINUTE; atMs += EVERY_MS)
    expect(look({ timeMs: 0, monotonicMs: atMs, rows: [{ subject: 'host', labels: {}, values: {} }] })).toEqual([])
})

function mounted(mountpoint: string, percent: number, more: Readonly<Record<string, number>> = {}): ReadingRow {
  const values = { size_bytes: 1100, used_bytes: percent * 10, available_bytes: 1000 - percent * 10, ...more }
  return { subject: 'mount', labels: { mountpoint }, values }
}

function disks(triggers: unknown) {
  const look = createMeasuredTriggers(triggersOf(triggers))
  let monotonicMs = 0
  return (...rows: ReadingRow[]) => {
    monotonicMs += EVERY_MS
    return look({ timeMs: NOON_MS, monotonicMs, rows }).map(({ reason }) => reason)
  }
}

test('a file system that is nearly full is told once, and again when it had room in between', () => {
  const look = disks({ disk: { above: 95 } })
  expect(look(mounted('/', 94.9))).toEqual([])
  expect(look(mounted('/', 95))).toEqual(['the file system / has 95 % of its space in use'])
  expect(look(mounted('/', 99))).toEqual([])
  expect(look(mounted('/', 94))).toEqual([])
  expect(look(mounted('/', 96))).toEqual([])
  expect(look(mounted('/', 92))).toEqual([])
  expect(look(mounted('/', 96))).toHaveLength(1)
})

test('each is told of, also for want of inodes', () => {
  const look = disks({ disk: { above: 90 } })
  expect(look(mounted('/', 91), mounted('/srv', 10, { inodes: 1000, inodes_free: 50 }))).toEqual([
    'the file system / has 91 % of its space in use',
    'the file system /srv has 95 % of its inodes in use',
  ])
})

test('an image that is always full is none, nor one of which nothing is known', () => {
  const look = disks({})
  const unknown: ReadingRow = { subject: 'mount', labels: { mountpoint: '/nfs' }, values: {}, problem: 'not asked' }
  const empty = mounted('/empty', 0, { available_bytes: 0, inodes: 0, inodes_free: 0 })
  expect(look(mounted('/snap/x', 100, { readonly: 1 }), unknown, empty)).toEqual([])
})

test('the same sample is looked at once', () => {
  const look = createMeasuredTriggers(triggersOf({}))
  const sample = { timeMs: NOON_MS, monotonicMs: 5, rows: [mounted('/', 99)] }
  expect([look(sample), look(sample)].flat()).toHaveLength(1)
})

test('what is measured asks for a bundle', async () => {
  const it = bench()
  it.measurement = { timeMs: NOON_MS, monotonicMs: 5, rows: [mounted('/data', 97)] }
  await it.triggers.tick()
  await it.triggers.idle()
  expect(it.wishes).toMatchObject([{ trigger: 'disk', reason: 'the file system /data has 97 % of its space in use' }])
})
