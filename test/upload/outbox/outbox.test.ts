import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { UploadRecord } from '../../../src/upload/upload.ts'
import { ask, stateFolder, until } from '../../record/events/kit.ts'
import { BOOT, DAY_MS, HOUR_MS, MINUTE_MS, NOON_MS, outboxIn, putInto, wish } from './kit.ts'

test('a wish becomes a row that waits, and is there after a restart as it was', async () => {
  const folder = await stateFolder()
  const first = outboxIn(folder)
  const parameters = { since: '2h', limits: 'bundle=5MiB' }
  const put = await putInto(first, wish('unit', { parameters, timeMs: NOON_MS - 500, notBeforeMs: NOON_MS + 2000 }))
  expect(put).toEqual({
    id: 1,
    trigger: 'unit',
    reason: 'because of unit',
    parameters,
    timeMs: NOON_MS - 500,
    createdMs: NOON_MS,
    bootId: BOOT,
    state: 'waiting',
    tries: 0,
    nextTryMs: NOON_MS + 2000,
  })
  await first.close()
  expect(await outboxIn(folder).get(1)).toEqual(put)
})

test('everything that is known of an upload is kept', async () => {
  const outbox = outboxIn(await stateFolder())
  const { nextTryMs: _, ...put } = await putInto(outbox, wish('request'))
  const record: UploadRecord = {
    ...put,
    state: 'uploaded',
    tries: 3,
    lastError: { kind: 'slow-down', message: 'the target asks to wait', permanent: false, retryAfterMs: 1500 },
    startedMs: NOON_MS + 1,
    finishedMs: NOON_MS + 2,
    bundleId: 'debug-a-20260615T120000Z-abcdef',
    key: 'a/2026-06-15/debug.tar.gz',
    sizeBytes: 123_456_789_012,
    sha256: 'ab'.repeat(32),
    verified: false,
    multipartId: 'm-1',
    outcome: 'partial',
  }
  await outbox.keep(record)
  expect(await outbox.get(1)).toEqual(record)
  expect(outbox.tally()).toEqual({ waiting: 0, nextTryMs: null, lastUploadedMs: NOON_MS + 2 })
})

test('a shutdown goes first, then what a person asked for, then triggers, then the schedule; among equals the oldest', async () => {
  const outbox = outboxIn(await stateFolder())
  for (const trigger of ['schedule', 'unit', 'container', 'request', 'shutdown', 'request'] as const) {
    await outbox.put(wish(trigger))
  }
  const order: number[] = []
  for (let { due } = await outbox.next(); due; { due } = await outbox.next()) {
    order.push(due.id)
    await outbox.keep({ ...due, state: 'running', tries: 1 })
  }
  expect(order).toEqual([5, 4, 6, 2, 3, 1])
})

test('what is not due is not next, and it is told when it will be', async () => {
  const outbox = outboxIn(await stateFolder())
  await outbox.put(wish('shutdown', { notBeforeMs: NOON_MS + HOUR_MS }))
  await outbox.put(wish('schedule', { notBeforeMs: NOON_MS + MINUTE_MS }))
  const nextTryMs = NOON_MS + MINUTE_MS
  expect(await outbox.next()).toEqual({ tally: { waiting: 2, nextTryMs, lastUploadedMs: null } })
  outbox.at(NOON_MS + MINUTE_MS)
  expect((await outbox.next()).due?.id).toBe(2)
})

test('a clock that is set back by days lets nothing wait longer than it was to wait', async () => {
  const outbox = outboxIn(await stateFolder())
  await outbox.put(wish('unit', { notBeforeMs: NOON_MS + HOUR_MS }))
  outbox.at(NOON_MS - 30 * DAY_MS)
  expect((await outbox.next()).tally.nextTryMs).toBe(NOON_MS - 30 * DAY_MS + HOUR_MS)
  outbox.at(NOON_MS - 30 * DAY_MS + HOUR_MS)
  expect((await outbox.next()).due?.id).toBe(1)
})

test('when too many wait the oldest of the schedule goes first, then the oldest trigger, and never what a person asked for', async () => {
  const outbox = outboxIn(await stateFolder(), { mostWaiting: 3 })
  await outbox.put(wish('request'))
  await outbox.put(wish('unit'))
  await outbox.put(wish('schedule'))
  const dropped = async (trigger: Parameters<typeof wish>[0]) =>
    (await outbox.put(wish(trigger))).dropped.map(({ id, state }) => [id, state])
  expect(await dropped('container')).toEqual([[3, 'dropped']])
  expect(await dropped('request')).toEqual([[2, 'dropped']])
  expect(await dropped('shutdown')).toEqual([[4, 'dropped']])
  await expect(outbox.put(wish('request'))).rejects.toMatchObject({ code: 'busy' })
  const list = await outbox.list({ limit: 10 })
  expect(list.map(({ id, state }) => [id, state])).toEqual([
    [6, 'waiting'],
    [5, 'waiting'],
    [4, 'dropped'],
    [3, 'dropped'],
    [2, 'dropped'],
    [1, 'waiting'],
  ])
  expect(list[2]).toMatchObject({ finishedMs: NOON_MS })
  expect(list[2]).not.toHaveProperty('nextTryMs')
})

test('a run of the schedule is kept with its mark in one, and only where the one before is done', async () => {
  const folder = await stateFolder()
  const outbox = outboxIn(folder)
  const { record } = await outbox.put(wish('schedule'), { name: 'schedule', timeMs: 1000 })
  expect(await outbox.put(wish('schedule'), { name: 'schedule', timeMs: 2000 })).toMatchObject({ dropped: [] })
  await outbox.keep({ ...record!, state: 'running' })
  expect((await outbox.put(wish('schedule'), { name: 'schedule', timeMs: 3000 })).record).toBeUndefined()
  await outbox.keep({ ...record!, state: 'uploaded' })
  expect((await outbox.put(wish('schedule'), { name: 'schedule', timeMs: 4000 })).record?.id).toBe(2)
  await outbox.close()
  expect(await outboxIn(folder).planned('schedule')).toBe(4000)
})

test('finished rows beyond their number or their age go, what waits and runs stays', async () => {
  const folder = await stateFolder()
  const outbox = outboxIn(folder, { maxFinished: 3, maxAgeMs: 90 * DAY_MS, now: Date.now })
  const ids = []
  for (let count = 0; count < 8; count++) ids.push(await putInto(outbox, wish('unit')))
  await outbox.keep({ ...ids[0]!, state: 'running' })
  for (const one of ids.slice(2, 7)) await outbox.keep({ ...one, state: 'uploaded', finishedMs: Date.now() })
  await outbox.keep({ ...ids[7]!, state: 'gave-up', finishedMs: Date.now() - 91 * DAY_MS })
  await until(async () => (await outbox.list({ limit: 20 })).length <= 5)
  expect((await outbox.list({ limit: 20 })).map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 2, 5, 6, 7])
})

test('how often a trigger fired counts from a moment on, whatever became of it', async () => {
  const outbox = outboxIn(await stateFolder())
  await outbox.put(wish('unit'))
  outbox.at(NOON_MS + HOUR_MS)
  const later = await putInto(outbox, wish('unit'))
  await outbox.keep({ ...later, state: 'gave-up' })
  await outbox.put(wish('disk'))
  expect(await outbox.fired('unit', NOON_MS)).toEqual({ count: 2, lastMs: NOON_MS + HOUR_MS })
  expect(await outbox.fired('unit', NOON_MS + 1)).toEqual({ count: 1, lastMs: NOON_MS + HOUR_MS })
  expect(await outbox.fired('unit', NOON_MS + HOUR_MS + 1)).toEqual({ count: 0 })
})

test('who waits for an upload is told when nothing more becomes of it, and at once when it is so already', async () => {
  const outbox = outboxIn(await stateFolder())
  const record = await putInto(outbox, wish('request'))
  const never = new AbortController().signal
  const waiting = outbox.settled(1, never)
  await outbox.keep({ ...record, state: 'running', tries: 1 })
  await outbox.keep({ ...record, state: 'waiting', tries: 1 })
  await outbox.keep({ ...record, state: 'uploaded', tries: 2 })
  expect(await waiting).toMatchObject({ state: 'uploaded', tries: 2 })
  expect(await outbox.settled(1, never)).toMatchObject({ state: 'uploaded' })
  expect(await outbox.settled(99, never)).toBeUndefined()
})

test('who stops waiting gets what there is', async () => {
  const outbox = outboxIn(await stateFolder())
  await outbox.put(wish('request'))
  const leaving = new AbortController()
  const waiting = outbox.settled(1, leaving.signal)
  leaving.abort()
  expect(await waiting).toMatchObject({ state: 'waiting' })
})

test('a row that is on its way survives the removal of the database under it', async () => {
  const folder = await stateFolder()
  const outbox = outboxIn(folder)
  await outbox.put(wish('unit'))
  const record = await putInto(outbox, wish('request'))
  await outbox.keep({ ...record, state: 'running', tries: 1 })
  for (const end of ['', '-wal', '-shm']) await rm(join(folder, `uploads.db${end}`), { force: true })
  await outbox.keep({ ...record, state: 'running', tries: 1, multipartId: 'm' })
  expect(await outbox.get(2)).toMatchObject({ multipartId: 'm', state: 'running' })
  expect(outbox.health().problems.join()).toContain('was removed or replaced while diagd wrote to it')
  expect(ask(join(folder, 'uploads.db'), 'SELECT id FROM uploads')).toEqual([{ id: 2 }])
  expect(await putInto(outbox, wish('unit'))).toMatchObject({ id: 3 })
})

test('a folder that cannot be written makes the outbox refuse, with the reason, and nothing else', async () => {
  const outbox = outboxIn('/dev/null')
  await expect(outbox.put(wish('request'))).rejects.toMatchObject({ code: 'off' })
  await expect(outbox.next()).rejects.toMatchObject({ code: 'off' })
  expect(outbox.health()).toMatchObject({ state: 'off' })
  expect(outbox.health().problems.join()).toMatch(/^Uploads are not recorded since/)
})

test('parameters without end are refused, and a long reason is cut', async () => {
  const outbox = outboxIn(await stateFolder())
  await expect(outbox.put(wish('request', { parameters: { only: 'x'.repeat(20_000) } }))).rejects.toMatchObject({
    code: 'invalid',
  })
  expect((await putInto(outbox, wish('unit', { reason: 'y'.repeat(5000) }))).reason).toHaveLength(1000)
})
