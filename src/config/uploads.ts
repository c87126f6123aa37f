/** The `uploads` key: where bundles are sent, when, and with what. */
import { z } from 'zod'
import { parseBundleRequest, UsageError } from '../collect/request.ts'
import { isUtc } from '../utc.ts'
import { sizeBetween, timeBetween } from './amounts.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { checkCron, CRON_ACCEPTS } from './cron.ts'
import { mappingOf, parsed } from './parsed.ts'
import { parseTarget, targetShape, type UploadTarget } from './upload-target.ts'
import { triggersSchema, type TriggersConfig } from './upload-triggers.ts'

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

export interface UploadSchedule {
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

const schema = z.strictObject({
  ...targetShape,
  schedule: parsed(cronOf).optional(),
  timeZone: z
    .string('is not a time zone')
    .refine(isTimeZone, 'is not a time zone (Europe/Berlin, UTC)')
    .prefault('UTC'),
  jitter: parsed(timeBetween('0s', '24h')).prefault('10m'),
  triggers: triggersSchema.prefault({}),
  bandwidth: parsed(sizeBetween('16KiB', '10GiB')).optional(),
  bundle: parsed(parseBundle).prefault({}),
  keep: z.int('is not a whole number').min(1, 'is less than 1').max(100_000, 'is more than 100000').optional(),
})

/** @throws Error that names the wrong part. */
export function parseUploadsKey(value: unknown): UploadsConfig | 'none' {
  if (value === undefined || value === 'none') return 'none'
  const { schedule, timeZone, jitter, triggers, bandwidth, bundle, keep, ...given } = mappingOf(schema, value)
  const target = parseTarget(given)
  if (keep !== undefined) checkKeep(target)
  return {
    target,
    schedule: schedule === undefined ? undefined : { cron: schedule, timeZone, jitterMs: jitter },
    triggers,
    bandwidthBytesPerSecond: bandwidth,
    parameters: bundle,
    retention: keep === undefined ? undefined : { maxBundles: keep },
  }
}

function cronOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`is not a text; accepted: ${CRON_ACCEPTS}`)
  const text = value.trim().replaceAll(/\s+/g, ' ')
  checkCron(text)
  return text
}

function isTimeZone(name: string): boolean {
  if (isUtc(name)) return true
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Which collectors there are is known later; a name that is none is a problem of the daemon then. */
function parseBundle(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('is not a mapping')
  const parameters = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, textOf(name, one)]))
  const none = ['until', 'around'].find((name) => parameters[name] !== undefined)
  if (none !== undefined) throw new Error(`${none} is of no use: what is sent ends with the moment it is made`)
  if (parameters.since !== undefined && !/^\d{1,9}[smhdw]$/.test(parameters.since))
    throw new Error(`since ${JSON.stringify(parameters.since)} is not a time before now (2h, 7d)`)
  try {
    parseBundleRequest(parameters, {
      nowMs: Date.now(),
      collectorIds: [parameters.only, parameters.skip].flatMap((ids) => ids?.split(',').map((id) => id.trim()) ?? []),
      defaults: DEFAULT_LIMITS,
    })
  } catch (error) {
    throw error instanceof UsageError ? new Error(error.message.replace(/^([^:]*):/, '$1')) : error
  }
  return parameters
}

/** As it would stand in a query string. */
function textOf(name: string, value: unknown): string {
  const list = [value].flat()
  if (list.length > 0 && list.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
    return list.map(String).join(',')
  throw new Error(`${name} is not a text or a list of texts`)
}

/** What is deleted has to be this node's own. */
function checkKeep(target: UploadTarget): void {
  if (target.kind !== 's3') throw new Error('has a wrong part: keep is of no use: the target is no bucket (s3://…)')
  if (/^[^{]*\{node\}\//.test(target.key)) return
  throw new Error(
    'has a wrong part: keep would delete what is not of this node: accepted with a target in which {node}/ comes first of {node}, {date} and {name}',
  )
}
