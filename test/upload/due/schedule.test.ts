import { expect, onTestFinished, test } from 'vitest'
import { createSchedule, jitterOf, type Run, type Schedule } from '../../../src/upload/due/schedule.ts'
import { testClock } from '../runner/kit.ts'

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const at = (text: string) => Date.parse(text)
const iso = (ms: number | undefined) =>
  ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z')

interface Given {
  readonly cron: string
  readonly timeZone?: string
  readonly jitterMs?: number
  /** It is so late. */
  readonly now: string
  /** The run that was kept last. */
  readonly last?: string | undefined
  readonly refuse?: () => boolean
}

/** A schedule under a clock that the test sets; `looked` is when it waits for the next. */
function scheduled({ cron, timeZone = 'UTC', jitterMs = 0, now, last, refuse = () => false }: Given) {
  const clock = testClock(at(now))
  const runs: Run[] = []
  const marks: number[] = []
  let waits = 0
  const schedule: Schedule = createSchedule({
    schedule: { cron, timeZone, jitterMs },
    node: 'node-a',
    clock: {
      ...clock,
      at(ms, call) {
        waits += 1
        return clock.at(ms, call)
      },
    },
    last: async () => (last === undefined ? undefined : at(last)),
    async due(run) {
      if (refuse()) throw new Error('the disk is full')
      runs.push(run)
    },
    mark: async (timeMs) => void marks.push(timeMs),
  })
  onTestFinished(() => schedule.close())
  let seen = 0
  const looked = async () => {
    while (waits === seen) await new Promise((resolve) => setImmediate(resolve))
    seen = waits
  }
  /** It is so late, and it looks: as it does every minute, whatever the time. */
  const go = async (text: string) => {
    clock.set(at(text))
    if (waits === seen) clock.wake()
    await looked()
  }
  return { schedule, clock, runs, marks, looked, go, planned: () => runs.map(({ plannedMs }) => iso(plannedMs)) }
}

test('the first start begins to count, and catches up on nothing', async () => {
  const { schedule, runs, marks, looked } = scheduled({ cron: '0 * * * *', now: '2026-06-15T12:20:00Z' })
  await looked()
  expect(runs).toEqual([])
  expect(marks).toEqual([at('2026-06-15T12:20:00Z')])
  expect(iso(schedule.nextMs)).toBe('2026-06-15T13:00:00Z')
})

test('each run is due once, at its time', async () => {
  const { looked, go, planned, runs } = scheduled({
    cron: '0 * * * *',
    now: '2026-06-15T12:20:00Z',
    last: '2026-06-15T12:00:00Z',
  })
  await looked()
  await go('2026-06-15T12:59:59Z')
  expect(planned()).toEqual([])
  await go('2026-06-15T13:00:00Z')
  await go('2026-06-15T13:00:30Z')
  await go('2026-06-15T14:00:00Z')
  expect(planned()).toEqual(['2026-06-15T13:00:00Z', '2026-06-15T14:00:00Z'])
  expect(runs.map(({ lateMs }) => lateMs)).toEqual([0, 0])
})

test('six fields have seconds', async () => {
  const { looked, go, planned } = scheduled({
    cron: '15 30 4 * * *',
    now: '2026-06-15T04:30:00Z',
    last: '2026-06-14T04:30:15Z',
  })
  await looked()
  await go('2026-06-15T04:30:15Z')
  expect(planned()).toEqual(['2026-06-15T04:30:15Z'])
})

test('of all runs that were missed the last is caught up on, and no other', async () => {
  const { looked, runs, schedule } = scheduled({
    cron: '0 * * * *',
    jitterMs: 10 * MINUTE,
    now: '2026-06-15T12:20:00Z',
    last: '2026-06-12T03:00:00Z',
  })
  await looked()
  const jitterMs = jitterOf('node-a', 10 * MINUTE)
  expect(runs).toEqual([
    {
      plannedMs: at('2026-06-15T12:00:00Z'),
      // Counted from now: a fleet that is switched on does not come at once.
      notBeforeMs: at('2026-06-15T12:20:00Z') + jitterMs,
      lateMs: 20 * MINUTE,
    },
  ])
  expect(schedule.nextMs).toBe(at('2026-06-15T13:00:00Z') + jitterMs)
})

test('what ran before a restart does not run again', async () => {
  const { looked, runs } = scheduled({ cron: '0 * * * *', now: '2026-06-15T12:00:20Z', last: '2026-06-15T12:00:00Z' })
  await looked()
  expect(runs).toEqual([])
})

test('a run that could not be kept is tried again until it is', async () => {
  let full = true
  const { looked, go, planned } = scheduled({
    cron: '0 * * * *',
    now: '2026-06-15T13:00:00Z',
    last: '2026-06-15T12:00:00Z',
    refuse: () => full,
  })
  await looked()
  expect(planned()).toEqual([])
  full = false
  await go('2026-06-15T13:01:00Z')
  expect(planned()).toEqual(['2026-06-15T13:00:00Z'])
})

test.each(['UTC', 'Etc/UTC'])('%s is not the zone of the process', async (timeZone) => {
  const own = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  onTestFinished(() => {
    if (own === undefined) delete process.env.TZ
    else process.env.TZ = own
  })
  const { schedule, looked, planned } = scheduled({
    cron: '30 2 * * *',
    timeZone,
    now: '2026-03-28T12:00:00Z',
    last: '2026-03-27T02:30:00Z',
  })
  await looked()
  expect(planned()).toEqual(['2026-03-28T02:30:00Z'])
  expect(iso(schedule.nextMs)).toBe('2026-03-29T02:30:00Z')
})

test('in the hour that summer time leaves out, a daily run comes after it, and once', async () => {
  const { looked, go, planned } = scheduled({
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    now: '2026-03-28T12:00:00Z',
    last: '2026-03-28T01:30:00Z',
  })
  await looked()
  for (let ms = at('2026-03-28T12:00:00Z'); ms <= at('2026-03-30T12:00:00Z'); ms += 10 * MINUTE)
    await go(new Date(ms).toISOString())
  expect(planned()).toEqual(['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'])
})

test('in the hour that winter time has twice, a daily run comes once', async () => {
  const { looked, go, planned } = scheduled({
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    now: '2026-10-24T12:00:00Z',
    last: '2026-10-24T00:30:00Z',
  })
  await looked()
  for (let ms = at('2026-10-24T12:00:00Z'); ms <= at('2026-10-26T12:00:00Z'); ms += 10 * MINUTE)
    await go(new Date(ms).toISOString())
  expect(planned()).toEqual(['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'])
})

test('a clock that is set forward by years fires one run, not a storm', async () => {
  const { looked, go, planned } = scheduled({
    cron: '*/5 * * * *',
    now: '1970-01-01T00:02:00Z',
    last: '1970-01-01T00:00:00Z',
  })
  await looked()
  await go('2026-06-15T12:02:00Z')
  await go('2026-06-15T12:05:00Z')
  expect(planned()).toEqual(['2026-06-15T12:00:00Z', '2026-06-15T12:05:00Z'])
})

test('a clock that is set back a little repeats nothing', async () => {
  const { looked, go, planned } = scheduled({
    cron: '0 * * * *',
    now: '2026-06-15T12:59:00Z',
    last: '2026-06-15T12:00:00Z',
  })
  await looked()
  await go('2026-06-15T13:00:00Z')
  await go('2026-06-15T12:50:00Z')
  await go('2026-06-15T13:00:00Z')
  await go('2026-06-15T14:00:00Z')
  expect(planned()).toEqual(['2026-06-15T13:00:00Z', '2026-06-15T14:00:00Z'])
})

test('a mark of a clock that was wrong by years holds nothing up', async () => {
  const { looked, go, planned } = scheduled({
    cron: '0 * * * *',
    now: '2026-06-15T12:20:00Z',
    last: '2031-01-01T00:00:00Z',
  })
  await looked()
  expect(planned()).toEqual([])
  await go('2026-06-15T13:00:00Z')
  await go('2026-06-15T14:00:00Z')
  expect(planned()).toEqual(['2026-06-15T13:00:00Z', '2026-06-15T14:00:00Z'])
})

test('the jitter of a node is always the same, lies within its bound, and spreads a fleet', () => {
  expect(jitterOf('node-a', HOUR)).toBe(jitterOf('node-a', HOUR))
  const fleet = Array.from({ length: 1000 }, (_, index) => jitterOf(`node-${index}`, HOUR))
  expect(fleet.every((ms) => ms >= 0 && ms < HOUR)).toBe(true)
  const tenths = new Set(fleet.map((ms) => Math.floor(ms / (HOUR / 10))))
  expect(tenths.size).toBe(10)
  expect(jitterOf('node-a', 0)).toBe(0)
})

test('a schedule that never comes says so by having no next', async () => {
  const { schedule, clock, runs } = scheduled({
    cron: '0 0 31 2 *',
    now: '2026-06-15T12:20:00Z',
    last: '2026-06-15T12:00:00Z',
  })
  clock.advance(400 * DAY)
  await schedule.close()
  expect(schedule.nextMs).toBeUndefined()
  expect(runs).toEqual([])
})
