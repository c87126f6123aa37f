/** Puts outbox, runner and schedule together, as the configuration says. Loaded when the doors are open: READY does not wait for it. */
import { StoreError } from '../record/store/error.ts'
import type { Schedule } from './due/schedule.ts'
import { createOutbox, type Outbox } from './outbox/outbox.ts'
import type { Clock } from './runner/clock.ts'
import { createRunner, type Runner } from './runner/runner.ts'
import { createTelling, type Telling } from './runner/telling.ts'
import type { UploadRecord, UploadsOptions, UploadWish } from './upload.ts'

export interface OpenUploads {
  readonly outbox: Outbox
  readonly runner: Runner
  readonly telling: Telling
  readonly schedule: Schedule | undefined
  request(wish: UploadWish): Promise<UploadRecord>
  /** What is wrong with the schedule, for people. */
  readonly problem: string | undefined
}

export interface Times {
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
}

const SCHEDULE = 'schedule'

export async function openUploads(options: UploadsOptions, { clock, random }: Times): Promise<OpenUploads> {
  const { config, stateDir, bootId, thread, tell } = options
  const engine = await options.engine()
  const telling = createTelling(tell, bootId, clock.now)
  let ready = () => {}
  const outbox = createOutbox({
    folder: stateDir,
    bootId,
    thread,
    now: clock.now,
    tell: (notice) => tell({ ...notice, bootId, source: 'diagd' }),
    onReady: () => ready(),
  })
  // Where the database cannot be opened now, its health says so, and it is tried again.
  await outbox.open().catch(() => {})
  const runner = createRunner({ ...options, facts: options, outbox, engine, clock, random, telling })
  ;({ ready } = runner)
  const put = async (wish: UploadWish, plan?: Parameters<Outbox['put']>[1]) => {
    const { record, dropped } = await outbox.put(wish, plan)
    for (const one of dropped) telling.dropped(one)
    runner.over(dropped)
    if (!record) return undefined
    telling.due(record)
    if (wish.trigger === 'shutdown') runner.urgent()
    else runner.poke()
    return record
  }
  const parts = { outbox, runner, telling, request: async (wish: UploadWish) => (await put(wish))! }
  if (!config.schedule) return { ...parts, schedule: undefined, problem: undefined }
  try {
    const schedule = await scheduled(options, { clock, outbox, telling, put })
    return { ...parts, schedule, problem: undefined }
  } catch (error) {
    const problem = `the schedule ${JSON.stringify(config.schedule.cron)} cannot be kept: ${(error as Error).message}`
    return { ...parts, schedule: undefined, problem }
  }
}

interface Scheduled extends Pick<OpenUploads, 'outbox' | 'telling'> {
  readonly clock: Clock
  readonly put: (wish: UploadWish, plan: { name: string; timeMs: number }) => Promise<UploadRecord | undefined>
}

async function scheduled(
  { config, node }: UploadsOptions,
  { clock, outbox, telling, put }: Scheduled,
): Promise<Schedule> {
  const { createSchedule } = await import('./due/schedule.ts')
  return createSchedule({
    schedule: config.schedule!,
    node,
    clock,
    last: () => outbox.planned(SCHEDULE),
    mark: (timeMs) => outbox.plan(SCHEDULE, timeMs),
    async due({ plannedMs, notBeforeMs, lateMs }) {
      const planned = new Date(plannedMs).toISOString()
      const late = lateMs > 0 ? `, ${Math.round(lateMs / 60_000)} min late: nobody was there, or the clock was set` : ''
      const wish = { trigger: 'schedule', reason: `planned for ${planned}${late}`, parameters: {} } as const
      const times = { timeMs: clock.now(), notBeforeMs }
      try {
        const record = await put({ ...wish, ...times }, { name: SCHEDULE, timeMs: plannedMs })
        if (!record) telling.skipped(`the run planned for ${planned} is skipped: the one before is not done`)
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'busy') throw error
        await outbox.plan(SCHEDULE, plannedMs)
        telling.skipped(`the run planned for ${planned} is skipped: ${error.message}`)
      }
    },
  })
}
