import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, stateFolder, until } from '../../record/events/kit.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, NOON_MS, wish } from '../outbox/kit.ts'
import { benchIn, failure, testTarget, type Bench } from './kit.ts'

const never = new AbortController().signal

const stateOf = async ({ uploads }: Bench, id = 1) => (await uploads.get(id))?.state

/** Set forward until it is so. */
async function whenItIs(bench: Bench, wanted: string, id = 1): Promise<void> {
  await until(async () => {
    const record = await bench.uploads.get(id)
    if (record?.state === wanted) return true
    if (record?.state === 'waiting' && record.nextTryMs! > bench.clock.now()) bench.clock.set(record.nextTryMs!)
    // A disk that was slow for a moment has the runner rest, by a clock that stands still here.
    else bench.clock.wake()
    return false
  })
}

/** It failed for the time that is given. */
const triedTimes = (bench: Bench, tries: number, id = 1) =>
  until(async () => {
    const record = await bench.uploads.get(id)
    return record?.tries === tries && record.state !== 'running'
  })

test('what is asked for is made, sent, and written down with all that is known of it', async () => {
  const bench = benchIn({ folder: await stateFolder(), config: { tags: { team: 'a' }, bandwidth: '1MiB', keep: 7 } })
  const { id } = await bench.uploads.request(wish('request'))
  expect(await bench.uploads.settled(id, never)).toEqual({
    id: 1,
    trigger: 'request',
    reason: 'because of request',
    parameters: {},
    timeMs: NOON_MS,
    createdMs: NOON_MS,
    bootId: expect.any(String),
    state: 'uploaded',
    tries: 1,
    startedMs: NOON_MS,
    finishedMs: NOON_MS,
    bundleId: 'debug-a-20260615T120000Z-abcdef',
    key: 'a/2026-06-15/debug-a-20260615T120000Z-abcdef.tar.gz',
    sizeBytes: 11,
    sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
    verified: true,
    outcome: 'whole',
  })
  expect(bench.target.jobs).toMatchObject([
    {
      contentType: 'application/gzip',
      metadata: { node: 'a', trigger: 'request', 'bundle-id': 'debug-a-20260615T120000Z-abcdef' },
      tags: { team: 'a' },
      bandwidthBytesPerSecond: 1024 ** 2,
      retention: { node: 'a', maxBundles: 7 },
    },
  ])
  expect(bench.target.jobs[0]!.mostBytes).toBeGreaterThan(1024 ** 3)
  await until(() => bench.told('upload.done').length === 1)
  expect(bench.events.map(({ type, level, subject }) => [type, level, subject])).toEqual([
    ['upload.due', 'info', '1'],
    ['upload.done', 'info', '1'],
  ])
  expect(bench.uploads.counts()).toMatchObject({ started: 1, uploaded: 1, sentBytes: 11, waiting: 0 })
  expect(bench.uploads.health()).toMatchObject({ state: 'ready', waiting: 0, lastUploadedMs: NOON_MS, problems: [] })
})

test('the window of a bundle is counted from what it is about, and ends now', async () => {
  const requests: { sinceMs: number; untilMs: number }[] = []
  const collect: Parameters<typeof benchIn>[0]['collect'] = async ({ request }) => {
    requests.push(request)
    return { outcome: 'partial' }
  }
  const bench = benchIn({
    folder: await stateFolder(),
    config: { bundle: { since: '3h', limits: 'bundle=9MiB' } },
    collect,
  })
  await bench.uploads.settled((await bench.uploads.request(wish('unit', { timeMs: NOON_MS - HOUR_MS }))).id, never)
  expect(requests[0]).toMatchObject({
    sinceMs: NOON_MS - 4 * HOUR_MS,
    untilMs: NOON_MS,
    limits: { bundleBytes: 9 * 1024 ** 2 },
    unmasked: false,
  })
  const { id } = await bench.uploads.request(wish('unit', { parameters: { since: '1h', until: '30m' } }))
  expect(await bench.uploads.settled(id, never)).toMatchObject({ outcome: 'partial' })
  expect(requests[1]).toMatchObject({ sinceMs: NOON_MS - HOUR_MS, untilMs: NOON_MS - HOUR_MS / 2 })
})

test('with recipients in the configuration every bundle is encrypted to them, whatever is wished', async () => {
  const asked: unknown[] = []
  const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p']
  const bench = benchIn({
    folder: await stateFolder(),
    recipients,
    async collect({ request }) {
      asked.push(request.recipients, request.unmasked)
      return { outcome: 'whole' }
    },
  })
  await bench.uploads.settled((await bench.uploads.request(wish('unit'))).id, never)
  expect(asked).toEqual([recipients, false])
  expect(bench.target.jobs).toMatchObject([
    { key: expect.stringMatching(/\.tar\.gz\.age$/), contentType: 'application/octet-stream' },
  ])
})

test('a failed try is tried again after 30 s, a minute, two… an hour at most, and under the same key', async () => {
  const target = testTarget({ failure: failure('unreachable') })
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  const waits: number[] = []
  for (let tries = 1; tries <= 10; tries++) {
    await triedTimes(bench, tries)
    const { nextTryMs, lastError } = (await bench.uploads.get(1))!
    expect(lastError).toEqual(failure('unreachable'))
    waits.push((nextTryMs! - bench.clock.now()) / 1000)
    bench.clock.set(nextTryMs!)
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
  target.ends.splice(0, 1, { sent: {} })
  await whenItIs(bench, 'uploaded')
  expect(new Set(target.jobs.map(({ key }) => key)).size).toBe(1)
  expect(await bench.uploads.get(1)).not.toHaveProperty('lastError')
  expect(bench.told('upload.failed').length).toBe(target.jobs.length - 1)
  expect(bench.uploads.counts().failed.unreachable).toBe(target.jobs.length - 1)
})

test('where the server asks to wait, that is done; where somebody has to change something, it is tried after 6 h', async () => {
  const target = testTarget(
    { failure: failure('slow-down', { retryAfterMs: 20 * MINUTE_MS }) },
    { failure: failure('forbidden', { permanent: true }) },
  )
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.nextTryMs).toBe(NOON_MS + 20 * MINUTE_MS)
  expect(bench.uploads.health().problems).toEqual([])
  bench.clock.advance(20 * MINUTE_MS)
  await triedTimes(bench, 2)
  expect((await bench.uploads.get(1))!.nextTryMs).toBe(bench.clock.now() + 6 * HOUR_MS)
  const next = new Date(bench.clock.now() + 6 * HOUR_MS).toISOString()
  const sooner = `it is tried again at ${next}, or within half a minute of a restart of diagd or of another upload that arrives`
  expect(bench.uploads.health().problems).toEqual([
    `upload 1 (request) failed 2 times (forbidden): it is forbidden; ${sooner}`,
  ])
  await until(() => bench.told('upload.failed').length === 2)
  expect(bench.told('upload.failed')[1]).toBe(`try 2 failed (forbidden): it is forbidden; ${sooner}`)
})

test('what failed once is told in English, and by when a wait of minutes ends', async () => {
  const target = testTarget({ failure: failure('forbidden', { permanent: true }) })
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  await until(() => bench.uploads.health().problems.length === 1)
  expect(bench.uploads.health().problems[0]).toContain('upload 1 (request) failed (forbidden): ')
  target.ends.splice(0, 1, { failure: failure('unreachable') })
  await bench.uploads.request(wish('unit'))
  await triedTimes(bench, 1, 2)
  const soon = new Date(NOON_MS + 30_000).toISOString()
  await until(() => bench.told('upload.failed').length === 2)
  expect(bench.told('upload.failed')[1]).toBe(
    `try 1 failed (unreachable): it is unreachable; it is tried again at ${soon}`,
  )
})

test('when anything arrives, what failed before is tried soon', async () => {
  const target = testTarget({ failure: failure('forbidden', { permanent: true }) }, { sent: {} })
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  await bench.uploads.settled((await bench.uploads.request(wish('request'))).id, never)
  await until(async () => (await bench.uploads.get(1))!.nextTryMs === NOON_MS + 30_000)
  bench.clock.advance(30_000)
  await bench.uploads.settled(1, never)
  expect(bench.target.arrived).toHaveLength(2)
})

test('after 50 tries, or 7 days, it gives up and says so', async () => {
  const target = testTarget({ failure: failure('no-bucket') })
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await whenItIs(bench, 'gave-up')
  expect(await bench.uploads.get(1)).toMatchObject({ tries: 50, lastError: { kind: 'no-bucket' } })
  await until(() => bench.told('upload.gave-up').length === 1)
  expect(bench.uploads.counts()).toMatchObject({ gaveUp: 1, started: 50, waiting: 0 })
  expect(bench.uploads.health().problems.join()).toContain('it is not tried again')
  target.ends.splice(0, 1, { failure: failure('forbidden', { permanent: true }) })
  await bench.uploads.request(wish('request'))
  await whenItIs(bench, 'gave-up', 2)
  const { tries, createdMs, finishedMs } = (await bench.uploads.get(2))!
  expect(tries).toBeLessThan(50)
  expect(finishedMs! - createdMs).toBeGreaterThan(7 * DAY_MS)
})

test('a bundle that cannot be made is no fault of the target, and nothing of it stays there', async () => {
  const collect = async () => {
    throw new Error('the engine broke')
  }
  const bench = benchIn({ folder: await stateFolder(), collect })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.lastError).toEqual({
    kind: 'bundle-failed',
    message: 'the engine broke',
    permanent: false,
  })
  expect(bench.target.aborted).toEqual(['the engine broke'])
  expect(bench.target.arrived).toEqual([])
})

test('parameters that cannot be understood are said, and no child is started for them', async () => {
  const bench = benchIn({ folder: await stateFolder() })
  await bench.uploads.request(wish('request', { parameters: { only: 'nonsense' } }))
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.lastError).toMatchObject({
    kind: 'bundle-failed',
    message: expect.stringContaining('"nonsense" is not a collector'),
    permanent: true,
  })
  expect(bench.target.jobs).toEqual([])
})

test('a child that refuses the bytes ends the try with what it knows, not with what the engine makes of it', async () => {
  const target = testTarget({ failure: failure('connection-lost') })
  const refusing = Promise.reject(new Error('EPIPE'))
  refusing.catch(() => {})
  target.gate = refusing
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.lastError).toEqual(failure('connection-lost'))
})

test('a child that cannot even be started is a failure, and recording goes on', async () => {
  const target = testTarget()
  const start = target.start.bind(target)
  target.start = () => {
    target.start = start
    throw new Error('spawn EAGAIN')
  }
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.lastError).toMatchObject({ kind: 'internal', message: /spawn EAGAIN/ })
  await whenItIs(bench, 'uploaded')
})

test('the id of a multipart upload is durable before the first byte is taken, and the next try aborts it', async () => {
  const folder = await stateFolder()
  const target = testTarget({ failure: failure('connection-lost') }, { sent: {} })
  target.multipart = 'm-1'
  const gate = Promise.withResolvers<void>()
  target.gate = gate.promise
  const bench = benchIn({ folder, target })
  await bench.uploads.request(wish('request'))
  const rows = () => ask<object>(join(folder, 'uploads.db'), 'SELECT state, tries, multipart_id FROM uploads')
  await until(() => JSON.stringify(rows()) === JSON.stringify([{ state: 'running', tries: 1, multipart_id: 'm-1' }]))
  gate.resolve()
  await triedTimes(bench, 1)
  expect(rows()).toEqual([{ state: 'waiting', tries: 1, multipart_id: 'm-1' }])
  target.multipart = 'm-2'
  await whenItIs(bench, 'uploaded')
  expect(target.jobs.map(({ stale }) => stale?.multipartId)).toEqual([undefined, 'm-1'])
  expect(target.jobs[1]!.stale!.key).toBe(target.jobs[0]!.key)
  expect(rows()).toEqual([{ state: 'uploaded', tries: 2, multipart_id: null }])
})

/** A row that waits for its next try, of which `m-1` is left at the target, when diagd was ended. */
async function withLeft(folder: string, ends: Parameters<typeof testTarget>[0]) {
  const target = testTarget(ends)
  target.multipart = 'm-1'
  const bench = benchIn({ folder, target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  await bench.uploads.close()
  return { key: target.jobs[0]!.key, multipartId: 'm-1' }
}

test('what a try left is removed at the next start, before its next try is due', async () => {
  const folder = await stateFolder()
  const left = await withLeft(folder, { failure: failure('forbidden', { permanent: true }) })
  const { uploads, target } = benchIn({ folder })
  const ids = () => ask<object>(join(folder, 'uploads.db'), 'SELECT state, tries, multipart_id FROM uploads')
  await until(() => JSON.stringify(ids()) === JSON.stringify([{ state: 'waiting', tries: 1, multipart_id: null }]))
  expect(target.stales).toEqual([left])
  expect(await uploads.get(1)).toMatchObject({ nextTryMs: NOON_MS + 30_000 })
  await uploads.close()
  const { uploads: again, target: idle } = benchIn({ folder })
  await until(async () => (await again.get(1))!.state === 'waiting' && again.health().nextTryMs !== undefined)
  expect(idle.stales).toEqual([])
})

test('what cannot be removed is said, disturbs nothing, and is tried again at the start after', async () => {
  const folder = await stateFolder()
  const left = await withLeft(folder, { failure: failure('forbidden', { permanent: true }) })
  const target = testTarget()
  target.stuck = failure('unreachable')
  const bench = benchIn({ folder, target })
  await until(() => bench.told('upload.left').length === 1)
  expect(bench.told('upload.left')).toEqual([
    `what was sent of ${left.key} could not be removed (unreachable): it is unreachable; it is tried again at the next start of diagd`,
  ])
  expect(await bench.uploads.settled((await bench.uploads.request(wish('request'))).id, never)).toMatchObject({
    state: 'uploaded',
  })
  expect(target.stales).toEqual([left])
  await bench.uploads.close()
  const { target: next } = benchIn({ folder })
  await until(() => next.stales.length === 1)
  expect(next.stales).toEqual([left])
})

test('a shutdown does not wait for a target that does not let anything be removed; that is done after it', async () => {
  const folder = await stateFolder()
  const left = await withLeft(folder, { failure: failure('forbidden', { permanent: true }) })
  const target = testTarget()
  target.silent = true
  const bench = benchIn({ folder, target })
  await until(() => target.stales.length === 1)
  const { id } = await bench.uploads.request(wish('shutdown'))
  expect(await bench.uploads.settled(id, never)).toMatchObject({ state: 'uploaded' })
  await until(() => target.stales.length === 2)
  expect(target.stales).toEqual([left, left])
  // A stop does not wait for it either.
  await bench.uploads.close()
  expect(bench.told('upload.left')).toEqual([])
})

test('what is given up, or makes room for others, leaves nothing at the target', async () => {
  const target = testTarget({ failure: failure('no-bucket') })
  target.multipart = 'm-1'
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await whenItIs(bench, 'gave-up')
  await until(() => target.stales.length > 0)
  expect(target.stales).toEqual([{ key: target.jobs[0]!.key, multipartId: 'm-1' }])
  target.ends.splice(0, 1, { failure: failure('forbidden', { permanent: true }) })
  await bench.uploads.request(wish('schedule'))
  await triedTimes(bench, 1, 2)
  bench.places.come()
  for (let count = 0; count < 200; count++) await bench.uploads.request(wish('unit'))
  expect(await stateOf(bench, 2)).toBe('dropped')
  await until(() => target.stales.length > 1)
  expect(target.stales[1]).toEqual({ key: (await bench.uploads.get(2))!.key, multipartId: 'm-1' })
})

test('while one is sent, the next try that is told is that of the others', async () => {
  const target = testTarget({ failure: failure('unreachable') }, 'hang')
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await triedTimes(bench, 1)
  await until(() => bench.uploads.health().nextTryMs === NOON_MS + 30_000)
  bench.clock.advance(30_000)
  await until(() => target.jobs.length === 2)
  expect(bench.uploads.health()).toMatchObject({ running: true, waiting: 0 })
  expect(bench.uploads.health()).not.toHaveProperty('nextTryMs')
  await bench.uploads.request(wish('request', { notBeforeMs: NOON_MS + HOUR_MS }))
  expect(bench.uploads.health()).toMatchObject({ running: true, waiting: 1, nextTryMs: NOON_MS + HOUR_MS })
})

test('one at a time: what a person asked for goes before triggers and the schedule', async () => {
  const target = testTarget()
  const gate = Promise.withResolvers<void>()
  target.gate = gate.promise
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('schedule'))
  await until(() => target.writing === 1)
  for (const trigger of ['unit', 'request', 'container'] as const) await bench.uploads.request(wish(trigger))
  expect(target.jobs).toHaveLength(1)
  expect(bench.uploads.health()).toMatchObject({ running: true, waiting: 3 })
  gate.resolve()
  await bench.uploads.settled(4, never)
  expect(target.jobs.map(({ metadata }) => metadata['trigger'])).toEqual(['schedule', 'request', 'unit', 'container'])
})

test('nothing is begun while a person downloads, and that is said; but for a shutdown', async () => {
  const bench = benchIn({ folder: await stateFolder() })
  const leave = bench.places.come()
  await bench.uploads.request(wish('request'))
  await until(() => bench.uploads.health().pausedSinceMs === NOON_MS)
  await bench.uploads.settled((await bench.uploads.request(wish('shutdown'))).id, never)
  expect(await stateOf(bench)).toBe('waiting')
  leave()
  await bench.uploads.settled(1, never)
  expect(bench.uploads.health()).not.toHaveProperty('pausedSinceMs')
})

test('a person who downloads without end holds an upload for ten minutes', async () => {
  const bench = benchIn({ folder: await stateFolder() })
  bench.places.come()
  await bench.uploads.request(wish('request'))
  await until(() => bench.uploads.health().pausedSinceMs !== undefined)
  bench.clock.advance(10 * MINUTE_MS - 1)
  expect(await stateOf(bench)).toBe('waiting')
  bench.clock.advance(1)
  expect(await bench.uploads.settled(1, never)).toMatchObject({ state: 'uploaded' })
})

test('an upload that runs takes no more bytes while a person downloads, and goes on after', async () => {
  const half = Promise.withResolvers<void>()
  const bench = benchIn({
    folder: await stateFolder(),
    async collect({ sink }) {
      await sink.write(Buffer.from('one'))
      await half.promise
      await sink.write(Buffer.from('two'))
      return { outcome: 'whole' }
    },
  })
  await bench.uploads.request(wish('request'))
  await until(() => bench.target.writing === 1)
  const leave = bench.places.come()
  half.resolve()
  await until(() => bench.uploads.health().pausedSinceMs !== undefined)
  expect(bench.target.writing).toBe(1)
  expect(bench.uploads.health()).toMatchObject({ running: true })
  leave()
  expect(await bench.uploads.settled(1, never)).toMatchObject({ state: 'uploaded', sizeBytes: 6 })
})

test('a shutdown goes at once: what runs is broken off for it, and sent after it, without a try counted', async () => {
  const target = testTarget('hang', { sent: {} })
  const limits: number[] = []
  const bench = benchIn({
    folder: await stateFolder(),
    target,
    async collect({ request, sink }) {
      limits.push(request.limits.bundleBytes)
      await sink.write(Buffer.from('x'))
      return { outcome: 'whole' }
    },
  })
  await bench.uploads.request(wish('request'))
  await until(() => target.writing === 1)
  const { id } = await bench.uploads.request(wish('shutdown'))
  await bench.uploads.settled(id, never)
  expect(await bench.uploads.settled(1, never)).toMatchObject({ state: 'uploaded', tries: 1 })
  expect(target.jobs.map(({ metadata }) => metadata['trigger'])).toEqual(['request', 'shutdown', 'request'])
  expect(target.aborted).toEqual(['a shutdown goes first'])
  expect(bench.told('upload.interrupted')).toEqual(['broken off: a shutdown goes first; it waits to be sent again'])
  expect(limits).toEqual([1024 ** 3, 5 * 1024 ** 2, 1024 ** 3])
})

test('a stop breaks off what runs; it waits, and is sent after the next start', async () => {
  const folder = await stateFolder()
  const target = testTarget('hang')
  const first = benchIn({ folder, target })
  await first.uploads.request(wish('request'))
  await until(() => target.writing === 2)
  await first.uploads.close()
  expect(target.aborted).toEqual(['diagd is stopped'])
  expect(ask(join(folder, 'uploads.db'), 'SELECT state, tries FROM uploads')).toEqual([{ state: 'waiting', tries: 0 }])
  expect(await benchIn({ folder }).uploads.settled(1, never)).toMatchObject({ state: 'uploaded', tries: 1 })
})

test('a child that tells of its upload in parts too late is not listened to', async () => {
  const target = testTarget('hang', { sent: {} })
  target.multipart = 'm-late'
  const tells: ((id: string) => Promise<void>)[] = []
  const start = target.start.bind(target)
  target.start = (job) => ({ ...start(job), onMultipart: (tell) => void tells.push(tell) })
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('unit'))
  await until(() => target.writing === 2)
  await bench.uploads.settled((await bench.uploads.request(wish('shutdown'))).id, never)
  await expect(tells[0]!('m-late')).rejects.toThrow('the try is over')
  expect(await bench.uploads.settled(1, never)).toMatchObject({ state: 'uploaded' })
})

test('a stop waits for the bundle of a shutdown', async () => {
  const folder = await stateFolder()
  const target = testTarget()
  const gate = Promise.withResolvers<void>()
  target.gate = gate.promise
  const bench = benchIn({ folder, target })
  await bench.uploads.request(wish('shutdown'))
  await until(() => target.writing === 1)
  const closed = bench.uploads.close()
  gate.resolve()
  await closed
  expect(target.arrived).toHaveLength(1)
  expect(ask(join(folder, 'uploads.db'), 'SELECT state FROM uploads')).toEqual([{ state: 'uploaded' }])
})

test('a try that takes longer than 6 h is ended and counts as stalled', async () => {
  const target = testTarget('hang')
  const bench = benchIn({ folder: await stateFolder(), target })
  await bench.uploads.request(wish('request'))
  await until(() => target.writing === 2)
  bench.clock.advance(6 * HOUR_MS)
  await triedTimes(bench, 1)
  expect((await bench.uploads.get(1))!.lastError).toMatchObject({
    kind: 'stalled',
    message: 'it was not done within 6 h',
  })
})

test('a state folder that cannot be written makes uploads off with the reason, and nothing is sent', async () => {
  const bench = benchIn({ folder: '/dev/null' })
  await expect(bench.uploads.request(wish('request'))).rejects.toMatchObject({ code: 'off' })
  expect(bench.uploads.health()).toMatchObject({ state: 'off', problems: [/ENOTDIR/, 'nothing is uploaded meanwhile'] })
  expect(bench.target.jobs).toEqual([])
})
