/** What makes diagd send a bundle by itself, and how often at most. */
import { z } from 'zod'
import { timeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'

/** Of one trigger; undefined where it is switched off. */
interface TriggerLimits {
  /** After it fired it is deaf for so long. */
  readonly debounceMs: number
  /** In 24 hours. */
  readonly perDay: number
}

export interface TriggersConfig {
  /** One ended with an exit code other than 0, or for want of memory. */
  readonly container?: TriggerLimits | undefined
  /** One failed, or was started too often. */
  readonly unit?: TriggerLimits | undefined
  /** The kernel killed a process for want of memory. */
  readonly oomKill?: TriggerLimits | undefined
  readonly slowBoot?: (TriggerLimits & { readonly longerThanMs: number }) | undefined
  readonly failedBoot?: TriggerLimits | undefined
  /** The boot before ended without a word. */
  readonly uncleanEnd?: TriggerLimits | undefined
  /** Percent of the time in which something waited for it (PSI, `full avg60` of memory and I/O), for so long. */
  readonly pressure?:
    | (TriggerLimits & { readonly memoryPercent: number; readonly ioPercent: number; readonly forMs: number })
    | undefined
  /** A file system is fuller than that. */
  readonly disk?: (TriggerLimits & { readonly abovePercent: number }) | undefined
  /** Small evidence, while the machine goes down. */
  readonly shutdown?: TriggerLimits | undefined
}

const limits = {
  debounce: parsed(timeBetween('1m', '24h')).prefault('15m'),
  perDay: z.int('is not a whole number').min(1, 'is less than 1').max(1000, 'is more than 1000').prefault(8),
}
const percent = (standard: number) =>
  z.number('is not a number').min(1, 'is less than 1').max(100, 'is more than 100').prefault(standard)

/** `false` or `none` switches it off; `true` takes the defaults. */
function trigger<T extends z.ZodRawShape>(shape: T) {
  const mapping = z.strictObject({ ...limits, ...shape })
  return parsed((value): z.infer<typeof mapping> | undefined => {
    if (value === false || value === 'none') return undefined
    return mappingOf(mapping, value === true ? {} : value)
  }).prefault(true)
}

const schema = z.strictObject({
  container: trigger({}),
  unit: trigger({}),
  oomKill: trigger({}),
  slowBoot: trigger({ longerThan: parsed(timeBetween('10s', '24h')).prefault('10m') }),
  failedBoot: trigger({}),
  uncleanEnd: trigger({}),
  pressure: trigger({
    memory: percent(20),
    io: percent(60),
    for: parsed(timeBetween('10s', '1h')).prefault('2m'),
  }),
  disk: trigger({ above: percent(95) }),
  shutdown: trigger({}),
})

/** @throws Error that names the wrong part. */
export function parseTriggers(value: unknown): TriggersConfig {
  if (value === false || value === 'none') return {}
  const { container, unit, oomKill, slowBoot, failedBoot, uncleanEnd, pressure, disk, shutdown } = mappingOf(
    schema,
    value,
  )
  return {
    container: of(container),
    unit: of(unit),
    oomKill: of(oomKill),
    slowBoot: slowBoot && { ...of(slowBoot)!, longerThanMs: slowBoot.longerThan },
    failedBoot: of(failedBoot),
    uncleanEnd: of(uncleanEnd),
    pressure: pressure && {
      ...of(pressure)!,
      memoryPercent: pressure.memory,
      ioPercent: pressure.io,
      forMs: pressure.for,
    },
    disk: disk && { ...of(disk)!, abovePercent: disk.above },
    shutdown: of(shutdown),
  }
}

function of(limits: { debounce: number; perDay: number } | undefined): TriggerLimits | undefined {
  return limits && { debounceMs: limits.debounce, perDay: limits.perDay }
}
