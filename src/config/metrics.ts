/** The `metrics` key: how often the machine is looked at, how long that is kept, and when processes are named. */
import { z } from 'zod'
import { sizeBetween, timeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'

export interface MetricsConfig {
  /** From one sample to the next. */
  readonly intervalMs: number
  /** How long samples are kept, and how long the minutes that are made of them. */
  readonly keepSamplesMs: number
  readonly keepMinutesMs: number
  /** metrics.db and its log. */
  readonly maxBytes: number
  /** Percent of the last 10 s in which something waited for it (PSI, `some avg10`); from there on a sample names processes. */
  readonly pressure: { readonly cpu: number; readonly memory: number; readonly io: number }
}

/** What a message says is accepted. */
export const METRICS_ACCEPTS =
  '"none", or a mapping {interval: TIME (1s to 5m, default 10s), keepSamples: TIME (1h to 8w, default 24h), ' +
  'keepMinutes: TIME (1h to 52w, default 7d), maxSize: SIZE (8MiB to 16GiB, default 64MiB), ' +
  'pressure: {cpu, memory, io: PERCENT (1 to 100, defaults 50, 10, 50)}}'

const percent = (standard: number) =>
  z.number('is not a number').min(1, 'is less than 1').max(100, 'is more than 100').prefault(standard)

const schema = z.strictObject({
  interval: parsed(timeBetween('1s', '5m')).prefault('10s'),
  keepSamples: parsed(timeBetween('1h', '8w')).prefault('24h'),
  keepMinutes: parsed(timeBetween('1h', '52w')).prefault('7d'),
  maxSize: parsed(sizeBetween('8MiB', '16GiB')).prefault('64MiB'),
  pressure: z.strictObject({ cpu: percent(50), memory: percent(10), io: percent(50) }).prefault({}),
})

/** @throws Error that names the wrong part. */
export function parseMetricsKey(value: unknown): MetricsConfig | 'none' {
  if (value === 'none') return value
  const { interval, keepSamples, keepMinutes, maxSize, pressure } = mappingOf(schema, value)
  return {
    intervalMs: interval,
    keepSamplesMs: keepSamples,
    keepMinutesMs: keepMinutes,
    maxBytes: maxSize,
    pressure,
  }
}
