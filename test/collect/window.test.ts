import { describe, expect, test } from 'vitest'
import { mergeIntervals, parseBootTimes } from '../../src/collect/window.ts'

const span = (sinceMs: number, untilMs: number, reason: string) => ({ sinceMs, untilMs, reason })

describe('the window', () => {
  test('is the span asked for, the start of this boot and the end of the one before, in order', () => {
    const spans = [span(900, 1000, 'window'), span(500, 600, 'start'), span(100, 200, 'end')]
    expect(mergeIntervals(spans, 1000)).toEqual([spans[2], spans[1], spans[0]])
  })

  test('counts what overlaps or touches once, with both reasons', () => {
    expect(mergeIntervals([span(500, 1000, 'window'), span(400, 500, 'start')], 1000)).toEqual([
      span(400, 1000, 'start, window'),
    ])
  })

  test('never reaches past its end', () => {
    expect(mergeIntervals([span(0, 300, 'window'), span(200, 900, 'start'), span(400, 500, 'end')], 300)).toEqual([
      span(0, 300, 'window, start'),
    ])
  })
})

describe('the end of the previous boot', () => {
  // As printed by `journalctl --list-boots --utc` of systemd 252 and 256.
  const OF_252 = `-1 0b5a3e7a8f5b4f6fa3c4b8a8a3d1c111 Fri 2026-11-20 08:00:01 UTC—Fri 2026-11-20 22:10:11 UTC
 0 1c5a3e7a8f5b4f6fa3c4b8a8a3d1c222 Sat 2026-11-21 07:00:00 UTC—Sat 2026-11-21 09:34:09 UTC
`
  const OF_256 = `IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY
 -1 0b5a3e7a8f5b4f6fa3c4b8a8a3d1c111 Fri 2026-11-20 08:00:01 UTC Fri 2026-11-20 22:10:11 UTC
  0 1c5a3e7a8f5b4f6fa3c4b8a8a3d1c222 Sat 2026-11-21 07:00:00 UTC Sat 2026-11-21 09:34:09 UTC
`
  test.each([
    ['252', OF_252],
    ['256', OF_256],
  ])('is read from the list of boots of systemd %s', (_, listed) => {
    // Whole seconds are listed, and the last words of a machine that went down are said in the fraction.
    expect(parseBootTimes(listed, -1)?.lastMs).toBe(Date.UTC(2026, 10, 20, 22, 10, 11, 999))
    expect(parseBootTimes(listed, 0)?.firstMs).toBe(Date.UTC(2026, 10, 21, 7, 0, 0))
  })

  test('is unknown where there was none', () => {
    expect(parseBootTimes(OF_252.split('\n')[1]!, -1)).toBeUndefined()
  })
})
