/** The store of events, as those who use it see it. */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { NewEvent } from '../../../src/record/events/event.ts'
import { ask, BOOT, BOOT_BEFORE, copyTo, event, NOON_MS, stateFolder, storeIn } from './kit.ts'

describe('an event', () => {
  test('comes back as it went in, with an id', async () => {
    const store = storeIn(await stateFolder())
    const given: NewEvent = {
      timeMs: NOON_MS + 0.123,
      monotonicMs: 12.5,
      bootId: BOOT,
      source: 'systemd',
      type: 'unit.failed',
      level: 'error',
      subject: 'web.service',
      message: 'web.service failed: “exit-code” ✗',
      detail: { exitCode: 3, restarts: [1, 2] },
    }
    expect(await store.append([given])).toEqual([1])
    expect(await store.query({ limit: 10 })).toEqual([{ id: 1, ...given }])
  })

  test('without what need not be there comes back without it', async () => {
    const store = storeIn(await stateFolder())
    await store.append([event('plain')])
    expect(await store.query({ limit: 1 })).toEqual([{ id: 1, ...event('plain') }])
  })

  test('is there for another program as soon as it is acknowledged', async () => {
    const folder = await stateFolder()
    const store = storeIn(folder)
    await store.append([event('seen')], { name: 'journal', value: 's=1;i=2' })
    expect(ask(store.path, 'SELECT time, message FROM latest')).toEqual([
      { time: '2026-06-15T12:00:00.000000Z', message: 'seen' },
    ])
    expect(ask(store.path, 'SELECT value FROM cursors')).toEqual([{ value: 's=1;i=2' }])
    expect(await store.cursor('journal')).toBe('s=1;i=2')
    expect(await store.cursor('other')).toBeUndefined()
  })

  test.each([
    ['source', { source: 'elsewhere' }, 'source of an event is "elsewhere"; accepted: api, systemd'],
    ['level', { level: 'loud' }, 'level of an event is "loud"; accepted: debug, info'],
    ['type', { type: 'two words' }, 'type of an event is "two words"'],
    ['time', { timeMs: Number.NaN }, 'timeMs of an event is "NaN"'],
    ['boot', { bootId: '' }, 'bootId of an event is ""'],
    ['clock', { monotonicMs: Infinity }, 'monotonicMs of an event is "Infinity"'],
    ['detail', { detail: [1] }, 'detail of an event is "1"; accepted: an object of JSON'],
    ['detail that is no JSON', { detail: { big: 1n } }, 'detail is no JSON'],
  ])('with a bad %s is refused, and its neighbours with it', async (_, bad, message) => {
    const store = storeIn(await stateFolder())
    const refused = store.append([event('good'), { ...event('bad'), ...bad } as NewEvent])
    await expect(refused).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(message) })
    expect(await store.query({ limit: 10 })).toEqual([])
    expect(store.health()).toMatchObject({ state: 'recording', refusedEvents: 0 })
  })

  test('that is too long is cut, and says so', async () => {
    const store = storeIn(await stateFolder())
    await store.append([
      event('m'.repeat(5000), {
        subject: 's'.repeat(300),
        type: 't'.repeat(200),
        detail: { long: '"'.repeat(20_000) },
      }),
      event(`${'x'.repeat(4075)}😀${'y'.repeat(100)}`),
      event('with a NUL \0 and half a \ud83d'),
    ])
    const [odd, halved, cut] = await store.query({ limit: 3 })
    expect(cut!.message).toHaveLength(4096)
    expect(cut!.message).toMatch(/^m+ … \(5000 characters\)$/)
    expect(cut!.subject).toMatch(/^s{230,240} … \(300 characters\)$/)
    expect(cut!.type).toBe('t'.repeat(128))
    expect(cut!.detail).toEqual({ cut: '40011 bytes', start: expect.stringMatching(/^\{"long":"(?:\\")+\\?$/) })
    expect(JSON.stringify(cut!.detail).length).toBeLessThan(16 * 1024)
    expect(halved!.message).toMatch(/x� … \(4177 characters\)$/)
    expect(odd!.message).toBe('with a NUL � and half a �')
  })
})

test('events keep the order of arrival, whatever the clock says', async () => {
  const store = storeIn(await stateFolder())
  const times = [NOON_MS, NOON_MS - 3600e3, 0, NOON_MS + 1]
  for (const [index, timeMs] of times.entries()) await store.append([event(`event ${index}`, { timeMs })])
  const found = await store.query({ limit: 10 })
  expect(found.map(({ message }) => message)).toEqual(['event 3', 'event 2', 'event 1', 'event 0'])
  expect(found.map(({ timeMs }) => timeMs)).toEqual(times.toReversed())
})

test('many at once are all there, in their order', async () => {
  const store = storeIn(await stateFolder())
  const groups = await Promise.all(
    Array.from({ length: 300 }, (_, group) => store.append([1, 2, 3].map((one) => event(`${group} ${one}`)))),
  )
  expect(groups.flat()).toEqual(Array.from({ length: 900 }, (_, index) => index + 1))
  const found = await store.query({ limit: 1000 })
  expect(found.map(({ message }) => message).toReversed()).toEqual(
    Array.from({ length: 900 }, (_, index) => `${Math.floor(index / 3)} ${(index % 3) + 1}`),
  )
  expect(store.health()).toMatchObject({ state: 'recording', events: 900, problems: [] })
})

describe('a query', () => {
  const events = [
    event('the pool was 100% full', { type: 'unit', level: 'debug', source: 'systemd', subject: 'a_b.service' }),
    event('Failed', {
      type: 'unit.failed',
      level: 'error',
      source: 'systemd',
      subject: 'aXb.service',
      timeMs: NOON_MS + 1000,
    }),
    event('unity is something else', { type: 'unity', level: 'warning', timeMs: NOON_MS + 2000 }),
    event('out of memory', {
      type: 'kernel.oom-kill',
      level: 'critical',
      source: 'kernel',
      bootId: BOOT_BEFORE,
      timeMs: NOON_MS - 5000,
    }),
    event(String.raw`back\slash`, { type: 'unit-x', timeMs: NOON_MS + 3000 }),
  ]
  test.each([
    [{}, [5, 4, 3, 2, 1]],
    [{ level: 'debug' }, [5, 4, 3, 2, 1]],
    [{ level: 'info' }, [5, 4, 3, 2]],
    [{ level: 'warning' }, [4, 3, 2]],
    [{ level: 'error' }, [4, 2]],
    [{ level: 'critical' }, [4]],
    [{ typePrefix: 'unit' }, [2, 1]],
    [{ typePrefix: 'unit.' }, [2, 1]],
    [{ typePrefix: 'unit.failed' }, [2]],
    [{ source: 'kernel' }, [4]],
    [{ boot: 0 }, [5, 3, 2, 1]],
    [{ boot: -1 }, [4]],
    [{ boot: -2 }, []],
    [{ boot: BOOT_BEFORE }, [4]],
    [{ boot: 'unknown' }, []],
    [{ sinceMs: NOON_MS + 1000 }, [5, 3, 2]],
    [{ untilMs: NOON_MS }, [4, 1]],
    [{ sinceMs: NOON_MS, untilMs: NOON_MS + 2000 }, [3, 2, 1]],
    [{ sinceMs: -1e300, untilMs: 1e300 }, [5, 4, 3, 2, 1]],
    [{ text: 'FAILED' }, [2]],
    [{ text: '100%' }, [1]],
    [{ text: '100_' }, []],
    [{ text: 'a_b' }, [1]],
    [{ text: String.raw`k\s` }, [5]],
    [{ text: '.service', level: 'error' }, [2]],
    [{ beforeId: 3 }, [2, 1]],
    [{ afterId: 3 }, [4, 5]],
    [{ afterId: 1, level: 'warning' }, [2, 3, 4]],
    [{ afterId: 0, boot: 0 }, [1, 2, 3, 5]],
    [{ beforeId: 5, level: 'warning' }, [4, 3, 2]],
  ] as const)('for %j finds %j', async (filter, ids) => {
    const store = storeIn(await stateFolder())
    await store.append(events)
    expect((await store.query({ limit: 100, ...filter })).map(({ id }) => id)).toEqual(ids)
  })

  test('goes on where the page before ended, also while events come in', async () => {
    const store = storeIn(await stateFolder())
    await store.append(Array.from({ length: 25 }, (_, index) => event(`${index + 1}`)))
    const seen: number[] = []
    for (let beforeId: number | undefined; ;) {
      const page = await store.query({ limit: 10, ...(beforeId === undefined ? {} : { beforeId }) })
      if (page.length === 0) break
      seen.push(...page.map(({ id }) => id))
      beforeId = page.at(-1)!.id
      await store.append([event('meanwhile')])
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index))
  })

  test.each([0, 1001, 1.5])('for %d events is refused', async (limit) => {
    const refused = storeIn(await stateFolder()).query({ limit })
    await expect(refused).rejects.toMatchObject({ code: 'invalid', message: `limit is ${limit}; accepted: 1 to 1000` })
  })
})

describe('boots', () => {
  test('are numbered back from the present one, by their last event', async () => {
    const store = storeIn(await stateFolder())
    // What is read from an old journal comes after the first events of today.
    await store.append([event('now', { timeMs: NOON_MS })])
    await store.append([
      event('old', { bootId: 'boot-a', timeMs: NOON_MS - 9000 }),
      event('its clock was not set', { bootId: BOOT_BEFORE, timeMs: 5000 }),
      event('now it is', { bootId: BOOT_BEFORE, timeMs: NOON_MS - 1000 }),
    ])
    expect(await store.boots()).toEqual([
      { bootId: BOOT, index: 0, firstMs: NOON_MS, lastMs: NOON_MS },
      { bootId: BOOT_BEFORE, index: -1, firstMs: 5000, lastMs: NOON_MS - 1000 },
      { bootId: 'boot-a', index: -2, firstMs: NOON_MS - 9000, lastMs: NOON_MS - 9000 },
    ])
  })

  test('before the first event of this one are all in the past', async () => {
    const store = storeIn(await stateFolder())
    await store.append([event('old', { bootId: BOOT_BEFORE })])
    expect((await store.boots()).map(({ bootId, index }) => [bootId, index])).toEqual([[BOOT_BEFORE, -1]])
    expect(await store.query({ limit: 1, boot: 0 })).toEqual([])
  })
})

describe('the database', () => {
  test('is there after it was closed, with its cursors, and ids go on', async () => {
    const folder = await stateFolder()
    const first = storeIn(folder)
    await first.append([event('one'), event('two')], { name: 'journal', value: 'x' })
    await first.close()
    const second = storeIn(folder)
    expect(await second.append([event('three')])).toEqual([3])
    expect(await second.cursor('journal')).toBe('x')
    expect(await second.query({ limit: 10 })).toHaveLength(3)
  })

  test('may be read by the group, by nobody else, whatever the umask', async () => {
    const before = process.umask(0o077)
    try {
      const store = storeIn(join(await stateFolder(), 'made', 'for it'))
      await store.append([event('one')])
      expect(statSync(store.path).mode & 0o777).toBe(0o640)
      expect(statSync(`${store.path}-wal`).mode & 0o777).toBe(0o640)
    } finally {
      process.umask(before)
    }
  })

  test('is not opened before somebody asks', async () => {
    const store = storeIn(join(await stateFolder(), 'later'))
    expect(store.health()).toMatchObject({ state: 'recording', sizeBytes: 0 })
    await store.close()
    expect(() => statSync(store.path)).toThrow('ENOENT')
  })

  test('is closed with all that was on its way, and takes nothing after that', async () => {
    const folder = await stateFolder()
    const store = storeIn(folder)
    const under = Promise.all([store.append([event('one')]), store.append([event('two')])])
    await store.close()
    expect(await under).toEqual([[1], [2]])
    await expect(store.append([event('three')])).rejects.toMatchObject({ code: 'closed' })
    await expect(store.query({ limit: 1 })).rejects.toMatchObject({ code: 'closed' })
    expect(() => statSync(`${store.path}-wal`)).toThrow('ENOENT')
    expect(ask(store.path, 'SELECT count(*) AS n FROM events')).toEqual([{ n: 2 }])
  })

  test('is handed over whole while it is open, as one file that stands alone', async () => {
    const folder = await stateFolder()
    const store = storeIn(folder)
    await store.append(Array.from({ length: 2000 }, (_, index) => event(`event ${index}`)))
    const copy = join(folder, 'copy.db')
    const snapshot = await store.snapshot()
    await store.append([event('too late for it')])
    expect(await copyTo(copy, snapshot)).toEqual({ whole: true })
    expect(statSync(copy).size).toBe(snapshot.sizeBytes)
    expect(ask(copy, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(ask(copy, 'SELECT count(*) AS n, max(message) AS last FROM events')).toEqual([
      { n: 2000, last: 'event 999' },
    ])
    expect(ask(copy, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
  })
})

test('a queue that is full refuses, says so, and takes more when there is room', async () => {
  const store = storeIn(await stateFolder())
  const big = () => store.append(Array.from({ length: 5000 }, (_, index) => event(`event ${index}`)))
  const two = [big(), big()]
  await expect(big()).rejects.toMatchObject({ code: 'busy', message: '10000 events wait for the disk already' })
  await Promise.all(two)
  await big()
  await expect(store.append(Array.from({ length: 10_001 }, () => event('x')))).rejects.toMatchObject({
    code: 'invalid',
  })
  await expect(store.append(Array.from({ length: 5000 }, () => event('m'.repeat(4096))))).rejects.toMatchObject({
    code: 'busy',
  })
  expect(store.health()).toMatchObject({ events: 15_000, refusedEvents: 10_000 })
})

test('a file of somebody else in the folder disturbs nobody', async () => {
  const folder = await stateFolder()
  writeFileSync(join(folder, 'events.db.notes'), 'mine')
  const store = storeIn(folder)
  await store.append([event('one')])
  expect(await store.setAside()).toEqual([])
})
