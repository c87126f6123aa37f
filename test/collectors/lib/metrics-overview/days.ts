/** Days of machines as they might have been measured: an idle one, and those on which something went wrong. */
import type {
  Measured,
  MeasuredColumn,
  MeasuredMark,
  MeasuredQuery,
  MeasuredSeries,
} from '../../../../src/collector.ts'
import type { Kit, RecordedEvent } from '../../../../src/collector.ts'
import { testKit } from '../../../helpers/kit.ts'

export const NOON = Date.UTC(2026, 5, 15, 12)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
const GIB = 2 ** 30

type Columns = Readonly<Record<string, number>>

export interface Sampled {
  readonly subject: string
  readonly labels: Readonly<Record<string, string>>
  /** undefined: not measured then. */
  readonly at: (timeMs: number) => Columns | undefined
}

export interface Day {
  readonly sampled: readonly Sampled[]
  readonly marks?: readonly MeasuredMark[]
  readonly events?: readonly RecordedEvent[]
  readonly sinceMs?: number
}

/** A kit on that day at noon, asked for what came in the 24 h before. */
export function kitOf({ sampled, marks = [], events = [], sinceMs = NOON - 24 * HOUR }: Day): Kit {
  return testKit({
    root: '/nonexistent',
    events,
    window: { sinceMs, untilMs: NOON },
    metrics: (query) => ({ ...measured(sampled, query), marks }),
  })
}

const INTERVAL = 10_000

/** A sample each 10 s, brought together in steps as the database does. */
function measured(sampled: readonly Sampled[], query: MeasuredQuery): Measured {
  return { series: sampled.map((one) => series(one, query)), marks: [], leftOut: 0 }
}

function series(
  { subject, labels, at }: Sampled,
  { sinceMs, untilMs, stepMs, columns }: MeasuredQuery,
): MeasuredSeries {
  const timesMs: number[] = []
  const samples: number[] = []
  const rows: Columns[][] = []
  for (let timeMs = sinceMs; timeMs < untilMs; timeMs += INTERVAL) {
    const row = at(timeMs)
    if (!row) continue
    const step = Math.floor(timeMs / stepMs) * stepMs
    if (timesMs.at(-1) !== step) {
      timesMs.push(step)
      rows.push([])
    }
    rows.at(-1)!.push(row)
  }
  for (const row of rows) samples.push(row.length)
  const wanted = columns[subject] ?? []
  return {
    subject,
    labels,
    timesMs,
    samples,
    columns: Object.fromEntries(wanted.map((name) => [name, columnOf(rows, name)])),
  }
}

function columnOf(rows: readonly (readonly Columns[])[], name: string): MeasuredColumn {
  const values = rows.map((row) => row.flatMap((one) => one[name] ?? []))
  const of = (make: (all: readonly number[]) => number) => values.map((all) => (all.length === 0 ? null : make(all)))
  return {
    avg: of((all) => all.reduce((sum, value) => sum + value, 0) / all.length),
    min: of((all) => Math.min(...all)),
    max: of((all) => Math.max(...all)),
  }
}

/** The same every time, and never the same twice: 0 to 1. */
function noise(timeMs: number, seed = 1): number {
  const x = Math.sin(timeMs * 0.000_123_7 * seed + seed * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}

export function host(change: (timeMs: number) => Columns | undefined = () => ({})): Sampled {
  return {
    subject: 'host',
    labels: {},
    at: (timeMs) => {
      const changed = change(timeMs)
      return changed && { ...quiet(timeMs), ...changed }
    },
  }
}

/** Four CPUs, 8 GiB, not much to do. */
function quiet(timeMs: number): Columns {
  const [user, system] = [2 + 3 * noise(timeMs, 2), 1 + noise(timeMs, 3)]
  return {
    load_1: 0.2 + 0.3 * noise(timeMs, 4),
    cpu_count: 4,
    cpu_user_percent: user,
    cpu_nice_percent: 0,
    cpu_system_percent: system,
    cpu_interrupt_percent: 0.2,
    cpu_iowait_percent: 0.3 * noise(timeMs, 5),
    cpu_steal_percent: 0.1 * noise(timeMs, 6),
    cpu_idle_percent: 100 - user - system - 0.5,
    memory_total_bytes: 8 * GIB,
    memory_available_bytes: 5.5 * GIB + 0.1 * GIB * noise(timeMs, 7),
    memory_free_bytes: 1.2 * GIB,
    swap_total_bytes: 0,
    swap_free_bytes: 0,
    oom_kills: 0,
    pressure_cpu_some_percent: 0.5 * noise(timeMs, 8),
    pressure_memory_some_percent: 0,
    pressure_memory_full_percent: 0,
    pressure_io_some_percent: 0.4 * noise(timeMs, 9),
    pressure_io_full_percent: 0.2 * noise(timeMs, 9),
    tasks_blocked: 0,
  }
}

export function mount(mountpoint: string, used: (timeMs: number) => number): Sampled {
  return {
    subject: 'mount',
    labels: { mountpoint, device: '/dev/vda1', fstype: 'ext4' },
    at: (timeMs) => ({
      used_bytes: 40 * GIB * used(timeMs),
      available_bytes: 40 * GIB * (1 - used(timeMs)),
      inodes: 1_000_000,
      inodes_free: 900_000,
    }),
  }
}

function disk(change: (timeMs: number) => Columns = () => ({})): Sampled {
  return {
    subject: 'disk',
    labels: { device: 'vda' },
    at: (timeMs) => ({
      utilisation_percent: 1 + 2 * noise(timeMs, 10),
      read_bytes_per_second: 4000 * noise(timeMs, 11),
      written_bytes_per_second: 90_000 * noise(timeMs, 12),
      ...change(timeMs),
    }),
  }
}

const card: Sampled = {
  subject: 'interface',
  labels: { device: 'eth0' },
  at: (timeMs) => ({
    receive_bytes_per_second: 30_000 + 60_000 * noise(timeMs, 13),
    transmit_bytes_per_second: 10_000 + 20_000 * noise(timeMs, 14),
    receive_errors: 0,
    transmit_errors: 0,
    receive_drops: 0,
    transmit_drops: 0,
  }),
}

export function container(name: string, change: (timeMs: number) => Columns | undefined): Sampled {
  return {
    subject: 'container',
    labels: { id: '0123456789ab', name },
    at: (timeMs) => {
      const changed = change(timeMs)
      return (
        changed && {
          memory_working_set_bytes: 200_000_000,
          cpu_percent: 3 + 2 * noise(timeMs, 15),
          cpu_throttled_percent: 0,
          oom_kills: 0,
          ...changed,
        }
      )
    },
  }
}

export function process(name: string, pid: string, from: number, to: number, columns: Columns): Sampled {
  return {
    subject: 'process',
    labels: { name, pid },
    at: (timeMs) => (timeMs >= from && timeMs < to ? columns : undefined),
  }
}

let id = 0

function event(timeMs: number, type: string, subject: string, more: Partial<RecordedEvent> = {}): RecordedEvent {
  id += 1
  const message = `${type} of ${subject}`
  return { id, timeMs, bootId: 'b', source: 'systemd', type, level: 'error', subject, message, ...more }
}

/** Measured when the host is. */
function along(machine: Sampled, others: readonly Sampled[]): Sampled[] {
  return [machine, ...others.map((one) => ({ ...one, at: (timeMs: number) => machine.at(timeMs) && one.at(timeMs) }))]
}

const usual = [mount('/', () => 0.41), mount('/data', () => 0.63), disk(), card]

export const IDLE: Day = { sampled: [host(), ...usual] }

const HOG = NOON - 5 * HOUR

/** A program takes all memory, is killed, starts again; a container is driven into its limit. */
export const HOGGED: Day = {
  sampled: [
    host((timeMs) => {
      const since = timeMs - HOG
      if (since < 0 || since > 25 * MINUTE) return {}
      const part = Math.min(1, since / (20 * MINUTE))
      const isKilled = since >= 24 * MINUTE + 50_000
      return {
        memory_available_bytes: 5.5 * GIB * (1 - part) + 0.1 * GIB,
        memory_free_bytes: 0.08 * GIB,
        pressure_memory_some_percent: part > 0.9 ? 60 : 0,
        pressure_memory_full_percent: part > 0.9 ? 45 : 0,
        pressure_io_some_percent: part > 0.9 ? 70 : 1,
        pressure_io_full_percent: part > 0.9 ? 55 : 1,
        cpu_user_percent: 20,
        cpu_system_percent: part > 0.9 ? 45 : 5,
        cpu_iowait_percent: part > 0.9 ? 34 : 1,
        cpu_idle_percent: part > 0.9 ? 1 : 74,
        load_1: part > 0.9 ? 19 : 1,
        tasks_blocked: part > 0.9 ? 11 : 0,
        oom_kills: isKilled ? 1 : 0,
      }
    }),
    ...usual,
    container('web', () => ({ memory_limit_bytes: 512 * 2 ** 20 })),
    container('worker', (timeMs) => {
      const since = timeMs - (NOON - 2 * HOUR)
      if (since < 0) return { memory_limit_bytes: 512 * 2 ** 20 }
      const inRound = since % (20 * MINUTE)
      return {
        memory_limit_bytes: 512 * 2 ** 20,
        memory_working_set_bytes: Math.min(1, 0.2 + inRound / (15 * MINUTE)) * 512 * 2 ** 20,
        cpu_percent: 100,
        cpu_throttled_percent: 60,
        oom_kills: inRound >= 19 * MINUTE && inRound < 19 * MINUTE + INTERVAL ? 1 : 0,
      }
    }),
    process('java', '4711', HOG + 15 * MINUTE, HOG + 25 * MINUTE, { resident_bytes: 6.1 * GIB, cpu_percent: 120 }),
    process('postgres', '812', HOG + 15 * MINUTE, HOG + 25 * MINUTE, { resident_bytes: 0.4 * GIB, cpu_percent: 4 }),
  ],
  events: [
    event(HOG + 25 * MINUTE, 'kernel.oom-kill', 'java', {
      level: 'critical',
      message: 'Out of memory: Killed process 4711 (java)',
    }),
    event(HOG + 25 * MINUTE + 400, 'unit.oom-killed', 'app.service'),
    event(HOG + 25 * MINUTE + 900, 'unit.failed', 'app.service'),
    ...[1, 2, 3, 4, 5, 6].map((round) =>
      event(NOON - 2 * HOUR + (20 * round - 1) * MINUTE, 'kernel.oom-kill', 'python3', { level: 'critical' }),
    ),
  ],
}

/** A disk fills up, and what writes to it fails. */
export const FILLED: Day = {
  sampled: [
    host((timeMs) => {
      const part = Math.min(1, Math.max(0, (timeMs - (NOON - 8 * HOUR)) / (5 * HOUR)))
      return part > 0 && part < 1
        ? {
            cpu_iowait_percent: 12,
            pressure_io_some_percent: 25 + 10 * noise(timeMs, 3),
            pressure_io_full_percent: 15,
            cpu_idle_percent: 80,
          }
        : {}
    }),
    mount('/', () => 0.41),
    mount('/data', (timeMs) => Math.min(1, 0.38 + Math.max(0, (timeMs - (NOON - 8 * HOUR)) / (5 * HOUR)) * 0.62)),
    disk((timeMs) =>
      timeMs > NOON - 8 * HOUR && timeMs < NOON - 3 * HOUR
        ? {
            utilisation_percent: 60 + 20 * noise(timeMs, 3),
            written_bytes_per_second: 1_500_000 + 900_000 * noise(timeMs, 4),
          }
        : {},
    ),
    card,
    container('db', () => ({})),
  ],
  events: [1, 2, 3, 5, 8, 20, 40, 80].map((minutes) =>
    event(NOON - 3 * HOUR + minutes * MINUTE, 'disk.full', 'postgresql.service', {
      message: 'No space left on device',
    }),
  ),
}

const [SLEPT, WOKE] = [NOON - 20 * HOUR, NOON - 15 * HOUR]
const BOOTS = [NOON - 9 * HOUR, NOON - 4 * HOUR]

/** Suspended over night, then two reboots, one of them without a word; the clock was set, diagd stopped for a while. */
export const BROKEN: Day = {
  sampled: along(
    host((timeMs) => {
      const isOff =
        (timeMs >= SLEPT && timeMs < WOKE) ||
        BOOTS.some((boot) => timeMs >= boot - 6 * MINUTE && timeMs < boot) ||
        (timeMs >= NOON - 2 * HOUR && timeMs < NOON - 80 * MINUTE)
      const isBooting = BOOTS.some((boot) => timeMs >= boot && timeMs < boot + 6 * MINUTE)
      return isOff
        ? undefined
        : isBooting
          ? { cpu_user_percent: 60, cpu_idle_percent: 30, cpu_steal_percent: 5, load_1: 3 }
          : {}
    }),
    usual,
  ),
  marks: [
    { kind: 'suspended', fromMs: SLEPT, toMs: WOKE, message: 'The machine was suspended for 5 h.' },
    ...BOOTS.map((toMs) => ({ kind: 'boot', fromMs: toMs - 6 * MINUTE, toMs, message: 'The machine was started.' })),
    {
      kind: 'clock-set',
      fromMs: NOON - 13 * HOUR,
      toMs: NOON - 13 * HOUR - 20 * MINUTE,
      message: 'The clock was set back by 20 min.',
    },
    {
      kind: 'diagd-started',
      fromMs: NOON - 2 * HOUR,
      toMs: NOON - 80 * MINUTE,
      message: 'diagd was not running for 40 min.',
    },
  ],
  events: [
    event(BOOTS[1]! - 6 * MINUTE, 'system.unclean-end', ''),
    event(BOOTS[1]! + 2 * MINUTE, 'unit.failed', 'docker.service'),
    event(BOOTS[1]! + 2 * MINUTE + 900, 'unit.job-failed', 'app.service'),
  ],
}

const SINCE_INSTALLED = NOON - 55 * MINUTE

/** diagd has been here for less than an hour; the machine next door takes the CPU. */
export const NEW: Day = {
  sampled: along(
    host((timeMs) =>
      timeMs < SINCE_INSTALLED
        ? undefined
        : timeMs > NOON - 20 * MINUTE
          ? { cpu_steal_percent: 30 + 20 * noise(timeMs, 3), cpu_user_percent: 40, cpu_idle_percent: 10, load_1: 6 }
          : {},
    ),
    usual,
  ),
  marks: [{ kind: 'diagd-started', fromMs: SINCE_INSTALLED, toMs: SINCE_INSTALLED, message: 'diagd was started.' }],
}

export const NOTHING: Day = { sampled: [] }

const storm = (n: number): RecordedEvent =>
  event(NOON - n * 60_000, `unit.failed.${n % 50}`, `<i>${'x'.repeat(200)}${n % 7}.service</i>`, {
    message: 'y'.repeat(4000),
  })

/** As much as there can be of everything, and nothing like what was before it. */
const wild = (seed: number) => (timeMs: number) => noise(timeMs, seed)

export const STORMY: Day = {
  sampled: [
    host((timeMs) => {
      const modes = ['user', 'system', 'iowait', 'steal', 'idle'].map((mode) => `cpu_${mode}_percent`)
      const pressures = ['cpu', 'memory', 'io'].map((resource) => `pressure_${resource}_some_percent`)
      const wildly = [...modes, ...pressures, 'load_1', 'tasks_blocked']
      return {
        ...Object.fromEntries(wildly.map((name, at) => [name, 25 * noise(timeMs, at + 20)])),
        memory_available_bytes: 5 * GIB * noise(timeMs, 17) + GIB,
        memory_free_bytes: GIB * noise(timeMs, 18),
        swap_total_bytes: GIB,
        swap_free_bytes: GIB * noise(timeMs, 19),
      }
    }),
    ...Array.from({ length: 16 }, (_, n) => mount(`/srv/<b>${n}&amp;"'</b>`, wild(n + 30))),
    disk((timeMs) => ({
      utilisation_percent: 100 * noise(timeMs, 4),
      written_bytes_per_second: 1e8 * noise(timeMs, 5),
      read_bytes_per_second: 1e8 * noise(timeMs, 6),
    })),
    {
      ...card,
      at: (timeMs) => ({
        receive_bytes_per_second: 1e8 * noise(timeMs, 7),
        transmit_bytes_per_second: 1e8 * noise(timeMs, 8),
        receive_drops: noise(timeMs, 9) > 0.5 ? 1 : 0,
      }),
    },
    ...Array.from({ length: 16 }, (_, n) =>
      container(`<script>alert(${n})</script>`, (timeMs) => ({
        memory_limit_bytes: 5e8,
        memory_working_set_bytes: 5e8 * noise(timeMs, n + 50),
        cpu_percent: 400 * noise(timeMs, n + 70),
        oom_kills: noise(timeMs, n) > 0.5 ? 1 : 0,
      })),
    ),
  ],
  marks: Array.from({ length: 1000 }, (_, n) => ({
    kind: ['suspended', 'boot', 'clock-set', 'late'][n % 4]!,
    fromMs: NOON - 24 * HOUR + n * 80_000,
    toMs: NOON - 24 * HOUR + n * 80_000 + 40_000,
    message: 'm'.repeat(200),
  })),
  events: Array.from({ length: 1000 }, (_, n) => storm(n)),
}
