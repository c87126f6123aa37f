import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JournalIntake } from '../../../src/record/journal/intake.ts'
import { decodeState } from '../../../src/record/journal/cursor.ts'
import type { NewEvent } from '../../../src/record/events/event.ts'
import { counted } from '../helpers/memory-store.ts'
import { recorded } from '../helpers/journals.ts'

const JOURNAL = recorded('three-boots.json')
const LINES = JOURNAL.toString('latin1').trimEnd().split('\n')
const WHOLE = eventsOf(JOURNAL)

function eventsOf(bytes: Buffer): readonly NewEvent[] {
  const intake = new JournalIntake({ state: {}, complete: true })
  intake.feed(bytes)
  return intake.take()!.events
}

/** From the line of the stored cursor on, as `journalctl --cursor` prints; from the first when there is none. */
function bytesFrom(value: string | undefined): Buffer {
  const { cursor } = decodeState(value)
  const from = cursor === undefined ? 0 : LINES.findIndex((line) => line.includes(cursor))
  return Buffer.from(`${LINES.slice(from).join('\n')}\n`, 'latin1')
}

describe('each event exactly once', () => {
  test('however the bytes are cut, and wherever it is killed', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 6 })
    // What each run does with its pieces: are they stored after each, or all lost by a kill?
    const run = fc.record({ pieces, stored: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }) })
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), (runs) => {
        const kept: NewEvent[] = []
        let value: string | undefined
        const store = (intake: JournalIntake) => {
          const batch = intake.take()
          if (batch === undefined) return
          kept.push(...batch.events)
          value = batch.value
        }
        for (const { pieces: sizes, stored } of runs) {
          const bytes = bytesFrom(value)
          const intake = new JournalIntake({ state: decodeState(value), complete: true })
          let at = 0
          for (const [index, size] of sizes.entries()) {
            intake.feed(bytes.subarray(at, (at += size)))
            if (stored[index]) store(intake)
          }
        }
        const last = new JournalIntake({ state: decodeState(value), complete: true })
        last.feed(bytesFrom(value))
        store(last)
        expect(kept).toEqual(WHOLE)
      }),
      { numRuns: 200 },
    )
  })

  test('cut at every byte of a line', () => {
    const bytes = Buffer.from(`${LINES.slice(0, 12).join('\n')}\n`, 'latin1')
    const expected = eventsOf(bytes)
    for (let at = 0; at < bytes.length; at += 7) {
      const intake = new JournalIntake({ state: {}, complete: true })
      intake.feed(bytes.subarray(0, at))
      intake.feed(bytes.subarray(at))
      expect(intake.take()!.events).toEqual(expected)
    }
  })

  test('the place moves on without events', () => {
    const chatter = LINES.filter((line) => line.includes('"SYSLOG_IDENTIFIER":"useradd"')).slice(0, 3)
    const intake = new JournalIntake({ state: {}, complete: false })
    expect(intake.take()).toBeUndefined()
    intake.feed(Buffer.from(`${chatter.join('\n')}\n`))
    expect(intake.waiting).toBe(0)
    const batch = intake.take()!
    expect(batch.events).toEqual([])
    expect(chatter[2]).toContain(decodeState(batch.value).cursor)
    expect(intake.take()).toBeUndefined()
  })
})

describe('what is missing is said', () => {
  const feed = (lines: readonly string[], value?: string, complete = true) => {
    const intake = new JournalIntake({ state: decodeState(value), complete })
    intake.feed(Buffer.from(`${lines.join('\n')}\n`, 'latin1'))
    return intake
  }

  test('entries that are gone in the middle, counted', () => {
    const intake = feed([...LINES.slice(0, 10), ...LINES.slice(15, 20)])
    const holes = intake.take()!.events.filter(({ type }) => type === 'journal.hole')
    expect(holes).toMatchObject([{ detail: { entries: 5 }, level: 'warning', source: 'diagd' }])
    expect(intake.missing).toBe(5)
  })

  test('not where only a part of the files can be read', () => {
    const events = feed([...LINES.slice(0, 10), ...LINES.slice(15, 20)], undefined, false).take()!.events
    expect(counted(events)['journal.hole']).toBeUndefined()
  })

  test('the entry it stopped at is gone', () => {
    const { value } = feed(LINES.slice(0, 10)).take()!
    const [hole, ...rest] = feed(LINES.slice(14), value).take()!.events
    expect(hole).toMatchObject({ type: 'journal.hole', detail: { entries: 4 } })
    expect(hole!.message).toContain('4 entries')
    expect(rest).toEqual(WHOLE.slice(-rest.length))
  })

  test('it is another journal', () => {
    const { value } = feed(LINES.slice(0, 10)).take()!
    const other = LINES.slice(0, 3).map((line) => line.replace(/"s=\w+/, '"s=beef').replace(/x=\w+/, 'x=1'))
    const [hole] = feed(other, value).take()!.events
    expect(hole).toMatchObject({
      type: 'journal.hole',
      message: expect.stringContaining('an unknown number of entries'),
    })
    expect(hole!.detail).not.toHaveProperty('entries')
  })

  test('nothing, where journald only numbers anew what it moved from /run to /var', () => {
    const { value } = feed(LINES.slice(0, 10)).take()!
    const moved = LINES.slice(9, 11).map((line) => line.replace(/;i=(\w+)/, (_, i: string) => `;i=${i}0`))
    expect(
      feed(moved, value, false)
        .take()!
        .events.filter(({ type }) => type === 'journal.hole'),
    ).toEqual([])
  })
})

describe('a flood', () => {
  const flood = (count: number, seconds = 0) =>
    Array.from({ length: count }, (_, index) => {
      const us = String(1767322800000000 + index * 1000 + seconds * 1e6)
      return JSON.stringify({
        __CURSOR: `s=1;i=${(index + 1).toString(16)};b=${'a'.repeat(32)};m=1;t=${index};x=${index}`,
        __REALTIME_TIMESTAMP: us,
        __MONOTONIC_TIMESTAMP: us,
        _BOOT_ID: 'a'.repeat(32),
        _TRANSPORT: 'kernel',
        MESSAGE: `I/O error, dev sda, sector ${index}`,
      })
    })
  const total = (events: readonly NewEvent[]) =>
    events.reduce((sum, { detail }) => sum + Number(detail?.['repeated'] ?? 1), 0)

  test('is counted and summed up in one event', () => {
    const events = eventsOf(Buffer.from(`${flood(5000).join('\n')}\n`))
    expect(events).toHaveLength(21)
    expect(events[20]).toMatchObject({ type: 'kernel.io-error', subject: 'sda', detail: { repeated: 4980 } })
    expect(events[20]!.message).toBe('4980 more like this; the last: I/O error, dev sda, sector 4999')
  })

  test('loses no count when it is killed in the middle', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 8 }), (cuts) => {
        const lines = flood(400)
        const kept: NewEvent[] = []
        let value: string | undefined
        for (const cut of [...cuts.toSorted((a, b) => a - b), 400]) {
          const { cursor } = decodeState(value)
          const from = cursor === undefined ? 0 : lines.findIndex((line) => line.includes(`"${cursor}"`))
          const intake = new JournalIntake({ state: decodeState(value), complete: true })
          intake.feed(
            Buffer.from(
              lines
                .slice(from, cut)
                .map((line) => `${line}\n`)
                .join(''),
            ),
          )
          const batch = intake.take()
          kept.push(...(batch?.events ?? []))
          value = batch?.value ?? value
        }
        expect(total(kept)).toBe(400)
      }),
    )
  })

  test('of one subject does not hide another', () => {
    const lines = flood(500)
    lines[400] = lines[400]!.replace('dev sda', 'dev sdb')
    const events = eventsOf(Buffer.from(`${lines.join('\n')}\n`))
    expect(events.filter(({ subject }) => subject === 'sdb')).toHaveLength(1)
  })
})

test('a line without an end is skipped in bounded memory, and the next one is read', () => {
  const intake = new JournalIntake({ state: {}, complete: false })
  intake.feed(Buffer.from(`${LINES[0]}\n`))
  for (let count = 0; count < 40; count++) intake.feed(Buffer.alloc(64 * 1024, 'x'))
  intake.feed(Buffer.from(`xx\n${LINES[1]}\n`, 'latin1'))
  expect([intake.tooLong, intake.lines]).toEqual([1, 2])
})
