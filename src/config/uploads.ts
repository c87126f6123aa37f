/** The `uploads` key: where bundles are sent, when, and with what. */
import { z } from 'zod'
import { sizeBetween, timeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'
import { parseTarget, targetShape, type UploadTarget } from './upload-target.ts'
import { parseTriggers, type TriggersConfig } from './upload-triggers.ts'

export interface UploadsConfig {
  readonly target: UploadTarget
  readonly schedule?: UploadSchedule | undefined
  readonly triggers: TriggersConfig
  /** Of all that is sent. undefined: as fast as it goes. */
  readonly bandwidthBytesPerSecond?: number | undefined
  /** Parameters of every bundle that is sent, as GET /debug-package takes them; what triggered it may add to them. */
  readonly parameters: Readonly<Record<string, string>>
  /** Below the prefix of this node at the target; undefined: nothing is ever deleted. */
  readonly retention?: { readonly maxBundles: number } | undefined
}

interface UploadSchedule {
  /** Five or six fields. */
  readonly cron: string
  /** IANA. */
  readonly timeZone: string
  /** Each node waits for a part of it that is always the same. */
  readonly jitterMs: number
}

/** What a message says is accepted. */
export const UPLOADS_ACCEPTS =
  '"none", or a mapping {target: s3://BUCKET/KEY ({node}, {date}, {name} in it) or https://… (a control plane that hands out presigned URLs), ' +
  'endpoint, region, pathStyle, credentials, ca, encryption, kmsKey, storageClass, tags, headersFile, schedule: CRON, timeZone, jitter: TIME, ' +
  'triggers: {…}, bandwidth: SIZE (a second), bundle: {only, skip, since, limits, format, …}, keep: NUMBER} (see uploads.md)'

const text = (what: string, form: RegExp) => z.string(`is not ${what}`).regex(form, `is not ${what}`)

const schema = z.strictObject({
  ...targetShape,
  schedule: text('a cron expression', /^[\w*/,?#LW -]{9,200}$/).optional(),
  timeZone: text('a time zone', /^[\w+/-]{1,64}$/)
    .refine(isTimeZone, 'is not a time zone')
    .prefault('UTC'),
  jitter: parsed(timeBetween('0s', '24h')).prefault('10m'),
  triggers: parsed(parseTriggers).prefault({}),
  bandwidth: parsed(sizeBetween('16KiB', '10GiB')).optional(),
  bundle: z.record(z.string(), z.string('is not a text')).prefault({}),
  keep: z.int('is not a whole number').min(1, 'is less than 1').max(100_000, 'is more than 100000').optional(),
})

/** @throws Error that names the wrong part. */
export function parseUploadsKey(value: unknown): UploadsConfig | 'none' {
  if (value === undefined || value === 'none') return 'none'
  const { schedule, timeZone, jitter, triggers, bandwidth, bundle, keep, ...target } = mappingOf(schema, value)
  return {
    target: parseTarget(target),
    schedule: schedule === undefined ? undefined : { cron: schedule, timeZone, jitterMs: jitter },
    triggers,
    bandwidthBytesPerSecond: bandwidth,
    parameters: bundle,
    retention: keep === undefined ? undefined : { maxBundles: keep },
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
