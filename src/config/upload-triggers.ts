/** What makes diagd send a bundle by itself, and how often at most. */
import { z } from 'zod'
import { timeBetween } from './amounts.ts'
import { parsed } from './parsed.ts'

/** Of one trigger; undefined where it is switched off. */
export interface TriggerLimits {
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
  /** A step of the boot or of provisioning failed. */
  readonly failedBoot?: TriggerLimits | undefined
  /** The boot before ended without a word. */
  readonly uncleanEnd?: TriggerLimits | undefined
  /** Percent of the time in which nothing but waiting for it was done (PSI, `full`), on the average of so long. */
  readonly pressure?:
    | (TriggerLimits & { readonly memoryPercent: number; readonly ioPercent: number; readonly forMs: number })
    | undefined
  /** A file system is fuller than that, of what users other than root can have. */
  readonly disk?: (TriggerLimits & { readonly abovePercent: number }) | undefined
  /** Small evidence, while the machine goes down. */
  readonly shutdown?: TriggerLimits | undefined
}

const percent = (standard: number) =>
  z.number('is not a number').min(1, 'is less than 1').max(100, 'is more than 100').prefault(standard)

/** `false` or `none` switches it off; `true` takes the defaults. @param debounce default, and the least that is accepted. */
function trigger<T extends z.ZodRawShape>(shape: T, debounce = { standard: '15m', least: '1m' }) {
  const limits = {
    debounce: parsed(timeBetween(debounce.least, '24h')).prefault(debounce.standard),
    perDay: z.int('is not a whole number').min(1, 'is less than 1').max(1000, 'is more than 1000').prefault(8),
  }
  const mapping = z.strictObject({ ...limits, ...shape }, notOne('is not true, false or a mapping'))
  return z.preprocess(switched, mapping.optional()).prefault(true)
}

/** A switch in the place of a mapping: undefined where it is off. */
function switched(value: unknown): unknown {
  if (value === false || value === 'none') return undefined
  return value === true ? {} : value
}

/** Of what is no mapping at all; zod has words for a key that it does not know. */
function notOne(words: string) {
  return { error: ({ code }: { readonly code: string }) => (code === 'invalid_type' ? words : undefined) }
}

/** As a part of the key `uploads`. */
export const triggersSchema = z
  .preprocess(
    (value) => (value === false || value === 'none' ? ALL_OFF : switched(value)),
    z.strictObject(
      {
        container: trigger({}),
        unit: trigger({}),
        oomKill: trigger({}),
        slowBoot: trigger({ longerThan: parsed(timeBetween('10s', '24h')).prefault('10m') }),
        failedBoot: trigger({}),
        uncleanEnd: trigger({}),
        pressure: trigger({
          memory: percent(20),
          io: percent(60),
          for: parsed(timeBetween('30s', '1h')).prefault('2m'),
        }),
        disk: trigger({ above: percent(95) }),
        // The next shutdown may be soon after the one before; and it is not what happens again and again by itself.
        shutdown: trigger({}, { standard: '1m', least: '0s' }),
      },
      notOne('is not a mapping'),
    ),
  )
  .transform(triggersOf)

const ALL_OFF = {
  container: false,
  unit: false,
  oomKill: false,
  slowBoot: false,
  failedBoot: false,
  uncleanEnd: false,
  pressure: false,
  disk: false,
  shutdown: false,
}

interface Given {
  readonly debounce: number
  readonly perDay: number
}

interface AllGiven extends Readonly<
  Record<'container' | 'unit' | 'oomKill' | 'failedBoot' | 'uncleanEnd' | 'shutdown', Given | undefined>
> {
  readonly slowBoot: (Given & { readonly longerThan: number }) | undefined
  readonly pressure: (Given & { readonly memory: number; readonly io: number; readonly for: number }) | undefined
  readonly disk: (Given & { readonly above: number }) | undefined
}

function triggersOf({ slowBoot, pressure, disk, ...given }: AllGiven): TriggersConfig {
  return {
    container: limitsOf(given.container),
    unit: limitsOf(given.unit),
    oomKill: limitsOf(given.oomKill),
    slowBoot: slowBoot && { ...limitsOf(slowBoot)!, longerThanMs: slowBoot.longerThan },
    failedBoot: limitsOf(given.failedBoot),
    uncleanEnd: limitsOf(given.uncleanEnd),
    pressure: pressure && {
      ...limitsOf(pressure)!,
      memoryPercent: pressure.memory,
      ioPercent: pressure.io,
      forMs: pressure.for,
    },
    disk: disk && { ...limitsOf(disk)!, abovePercent: disk.above },
    shutdown: limitsOf(given.shutdown),
  }
}

function limitsOf(given: Given | undefined): TriggerLimits | undefined {
  return given && { debounceMs: given.debounce, perDay: given.perDay }
}
