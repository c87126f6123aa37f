import { describe, expect, test } from 'vitest'
import { bench, HOUR, MINUTE, NOON_MS, SECOND, type Bench } from './kit.ts'

const unit = (it: Bench, subject = 'app.service') => it.event('unit.failed', { subject, message: `${subject} failed` })
const oom = (it: Bench) => it.event('kernel.oom-kill', { source: 'kernel', detail: { pid: '1' } })
const DAY = 24 * HOUR

describe('how often', () => {
  test('of several alike one is sent, and the others are counted', async () => {
    const it = bench()
    await it.heard(unit(it, 'a.service'), unit(it, 'b.service'), unit(it, 'c.service'))
    it.nowMs = 6 * SECOND
    await it.heard(unit(it, 'd.service'))
    expect(it.wishes).toMatchObject([{ reason: 'a.service failed' }])
    expect(it.triggers.heldBack()).toEqual([
      { labels: { trigger: 'unit', why: 'burst' }, value: 2 },
      { labels: { trigger: 'unit', why: 'debounce' }, value: 1 },
    ])
  })

  test('what breaks at the same time is in the same bundle, whatever it is', async () => {
    const it = bench()
    await it.heard(oom(it))
    it.nowMs = 4 * SECOND
    await it.heard(unit(it))
    expect(it.asked()).toEqual(['oom-kill'])
    expect(it.triggers.heldBack()).toEqual([{ labels: { trigger: 'unit', why: 'burst' }, value: 1 }])
    it.nowMs = 5 * SECOND
    await it.heard(unit(it))
    expect(it.asked()).toEqual(['oom-kill', 'unit'])
  })

  test('also when they are told in one breath', async () => {
    const it = bench()
    await it.heard(oom(it), unit(it))
    expect(it.asked()).toEqual(['oom-kill'])
  })

  test('again when the debounce is over', async () => {
    const it = bench({ triggers: { unit: { debounce: '30m' } } })
    for (const ms of [0, 30 * MINUTE - 1, 30 * MINUTE]) {
      it.nowMs = ms
      await it.heard(unit(it))
    }
    expect(it.asked()).toEqual(['unit', 'unit'])
  })

  test('not more than so many in 24 hours', async () => {
    const it = bench({ triggers: { unit: { perDay: 2 } } })
    for (const ms of [0, HOUR, 2 * HOUR, 23 * HOUR, DAY + 1, DAY + HOUR / 2]) {
      it.nowMs = ms
      await it.heard({ ...unit(it) })
    }
    expect(it.wishes.map(({ timeMs }) => timeMs - NOON_MS)).toEqual([0, HOUR, DAY + 1])
    expect(it.triggers.heldBack()).toContainEqual({ labels: { trigger: 'unit', why: 'cap' }, value: 3 })
  })

  test('a restart of diagd forgets neither', async () => {
    const it = bench({ triggers: { unit: { perDay: 2 } } })
    const at = async (ms: number) => {
      it.restart()
      it.nowMs = ms
      await it.heard(unit(it))
      return it.triggers.heldBack().map(({ labels }) => labels.why)
    }
    expect([await at(0), await at(14 * MINUTE), await at(15 * MINUTE), await at(HOUR)]).toEqual([
      [],
      ['debounce'],
      [],
      ['cap'],
    ])
    expect(it.asked()).toHaveLength(2)
  })

  test('a clock that was set back makes nobody deaf', async () => {
    const it = bench()
    it.nowMs = 5 * HOUR
    await it.heard(unit(it))
    it.nowMs = 0
    it.restart()
    await it.heard(unit(it))
    expect(it.asked()).toHaveLength(2)
  })

  test('one trigger does not make another deaf', async () => {
    const it = bench()
    await it.heard(unit(it))
    it.nowMs = MINUTE
    await it.heard(oom(it))
    expect(it.asked()).toEqual(['unit', 'oom-kill'])
  })
})

describe('what is asked for', () => {
  test('begins some seconds later, with a window that holds the moment also when it is made much later', async () => {
    const it = bench()
    await it.heard({ ...unit(it), timeMs: NOON_MS - SECOND })
    expect(it.wishes).toEqual([
      {
        trigger: 'unit',
        reason: 'app.service failed',
        timeMs: NOON_MS - SECOND,
        notBeforeMs: NOON_MS + 5 * SECOND,
        parameters: { since: '2026-06-14T12:00:00.000Z' },
      },
    ])
  })

  test.each([
    ['2h', 0, '2026-06-15T10:00:00.000Z'],
    ['1m', 0, '2026-06-15T11:45:00.000Z'],
    ['1m', 50 * MINUTE, '2026-06-15T10:55:00.000Z'],
  ])('with since: %s of the configuration, %i ms after it', async (since, lateMs, expected) => {
    const it = bench({ parameters: { since } })
    await it.heard({ ...unit(it), timeMs: NOON_MS - lateMs })
    expect(it.wishes[0]!.parameters).toEqual({ since: expected })
  })

  test('what the outbox does not take is said, and is asked for the next time', async () => {
    const it = bench()
    it.refusal = new Error('the disk is full')
    await it.heard(unit(it))
    expect(it.warned).toEqual(['no bundle is sent: app.service failed'])
    expect(it.triggers.heldBack()).toEqual([{ labels: { trigger: 'unit', why: 'store' }, value: 1 }])
    it.refusal = undefined
    await it.heard(unit(it))
    expect(it.asked()).toEqual(['unit'])
  })
})

describe('a shutdown that somebody tells of', () => {
  const due = { trigger: 'shutdown', reason: 'the machine goes down', timeMs: NOON_MS } as const

  test('waits for nothing, not even for what was asked for a moment ago', async () => {
    const it = bench()
    await it.heard(oom(it))
    expect(await it.triggers.ask(due, { limits: 'bundle=5MiB' })).toMatchObject({ id: 2 })
    expect(it.wishes[1]).not.toHaveProperty('notBeforeMs')
    expect(it.wishes[1]).toMatchObject({ trigger: 'shutdown', parameters: { limits: 'bundle=5MiB' } })
  })

  test('is limited as the others are', async () => {
    const it = bench({ triggers: { shutdown: { debounce: '10m' } } })
    await it.triggers.ask(due, {})
    it.nowMs = 5 * MINUTE
    expect(await it.triggers.ask(due, {})).toBe('debounce')
  })

  test('is off where it is switched off', async () => {
    const it = bench({ triggers: { shutdown: false } })
    expect(await it.triggers.ask(due, {})).toBe('off')
    expect(it.asked()).toEqual([])
  })
})

describe('what was held back is told', () => {
  test('in sums', async () => {
    const it = bench()
    await it.heard(unit(it))
    for (const ms of [MINUTE, 2 * MINUTE, 3 * MINUTE]) {
      it.nowMs = ms
      await it.heard(unit(it, `u${ms}.service`))
      await it.triggers.tick()
    }
    expect(it.told).toEqual([])
    it.nowMs = 6 * MINUTE
    await it.triggers.tick()
    await it.triggers.tick()
    expect(it.told).toMatchObject([
      {
        type: 'upload.held-back',
        level: 'info',
        subject: 'unit',
        message: 'no bundle of their own for 3 so soon after the one before; the last: u180000.service failed',
        detail: { debounce: 3 },
      },
    ])
  })

  test('at the end at the latest', async () => {
    const it = bench()
    await it.heard(unit(it), unit(it))
    it.triggers.close()
    expect(it.told).toMatchObject([{ detail: { burst: 1 } }])
  })
})
