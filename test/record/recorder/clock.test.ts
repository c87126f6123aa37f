import { describe, expect, test } from 'vitest'
import {
  compareClocks,
  monotonicNowMs,
  readClocks,
  uptimeMs,
  watchClock,
  type Clocks,
} from '../../../src/record/recorder/clock.ts'
import { bootFinder, startOfThisBootMs, UNKNOWN_BOOT } from '../../../src/record/recorder/boots.ts'
import type { NewEvent } from '../../../src/record/events/event.ts'

const NOW: Clocks = { wallMs: Date.parse('2026-01-02T03:00:00Z'), monotonicMs: 50_000, bootMs: 60_000 }
const after = (wallMs: number, monotonicMs: number, bootMs: number | undefined): Clocks => ({
  wallMs: NOW.wallMs + wallMs,
  monotonicMs: NOW.monotonicMs + monotonicMs,
  bootMs: bootMs === undefined ? undefined : NOW.bootMs! + bootMs,
})

describe('the clocks of the machine', () => {
  test('that go on together say nothing, also when nobody looked for an hour', () => {
    expect(compareClocks(NOW, after(10_000, 10_000, 10_010))).toEqual([])
    expect(compareClocks(NOW, after(3600_000, 3600_000, 3600_000))).toEqual([])
    expect(compareClocks(NOW, after(11_500, 10_000, 10_000))).toEqual([])
  })

  test('set back', () => {
    const [event, ...more] = compareClocks(NOW, after(-3590_000, 10_000, 10_000))
    expect(event).toMatchObject({ type: 'clock.set-back', level: 'warning', detail: { jumpMs: -3600_000 } })
    expect(event!.message).toBe('the clock was set back by 3600.0 s, to 2026-01-02T02:00:10.000Z')
    expect(event).toMatchObject({ timeMs: NOW.wallMs - 3590_000, monotonicMs: 60_000 })
    expect(more).toEqual([])
  })

  test('set forward', () => {
    expect(compareClocks(NOW, after(15_000, 10_000, 10_000))).toMatchObject([
      { type: 'clock.jumped', detail: { jumpMs: 5000 } },
    ])
  })

  test('asleep: the wall clock went on, and was not set', () => {
    expect(compareClocks(NOW, after(610_000, 10_000, 610_000))).toMatchObject([
      { type: 'clock.slept', detail: { sleptMs: 600_000 } },
    ])
  })

  test('asleep, and set when it woke up', () => {
    const types = compareClocks(NOW, after(700_000, 10_000, 610_000)).map(({ type }) => type)
    expect(types).toEqual(['clock.slept', 'clock.jumped'])
  })

  test('without /proc, sleep looks like a jump', () => {
    const blind = { ...NOW, bootMs: undefined }
    expect(compareClocks(blind, after(610_000, 10_000, undefined))).toMatchObject([{ type: 'clock.jumped' }])
  })

  test('really read: in the same moment, and of this boot', () => {
    const { wallMs, monotonicMs, bootMs } = readClocks()
    expect(Math.abs(wallMs - Date.now())).toBeLessThan(60_000)
    expect(monotonicNowMs()).toBeGreaterThan(monotonicMs)
    expect(bootMs).toBeGreaterThan(monotonicMs - 1000)
    expect(compareClocks({ wallMs, monotonicMs, bootMs }, readClocks())).toEqual([])
  })

  test('are watched until it is closed', async () => {
    const readings = [NOW, after(-5000, 10, 10), after(-4990, 20, 20)]
    const told: NewEvent[] = []
    const seen = Promise.withResolvers<void>()
    let at = 0
    const read = () => {
      if (at === readings.length - 1) seen.resolve()
      return readings[Math.min(at++, readings.length - 1)]!
    }
    const watch = watchClock('boot', (event) => told.push(event), read, 5)
    // Timers that keep no process alive still run in one that lives.
    const alive = setInterval(() => {}, 1000)
    await seen.promise
    clearInterval(alive)
    watch.close()
    expect(told).toMatchObject([{ type: 'clock.set-back', bootId: 'boot' }])
  })
})

describe('the boot of a moment', () => {
  const boots = ['c', 'b', 'a'].map((bootId, index) => ({
    bootId,
    index: -index,
    firstMs: 3e9 - index * 1e9,
    lastMs: 0,
  }))
  const find = bootFinder({ boots: async () => boots }, 'c', 3e9)

  test.each([
    [4e9, 'c'],
    [3e9, 'c'],
    [3e9 - 5000, 'b'],
    [2e9, 'b'],
    [1.5e9, 'a'],
    [0.5e9, UNKNOWN_BOOT],
  ])('%d: %s', async (timeMs, bootId) => {
    expect(await find(timeMs)).toBe(bootId)
  })

  test('this one began after the kernel did, and before now', () => {
    const startMs = startOfThisBootMs()
    expect(startMs).toBeLessThan(Date.now())
    expect(startMs).toBeGreaterThanOrEqual(Date.now() - uptimeMs()! - 1000)
  })
})
