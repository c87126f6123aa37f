/** The `otlp` key: a collector of OpenTelemetry that gets what is measured and recorded. */
import { z } from 'zod'
import { timeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'

export interface OtlpConfig {
  /** `/v1/metrics` and `/v1/logs` are put behind it. */
  readonly endpoint: URL
  /** Of headers, a line each: `Authorization: Bearer …`. Read before every request, so they may change. */
  readonly headersFile?: string | undefined
  /** The authority of its certificate, where it is none of those that come with the runtime. */
  readonly ca?: string | undefined
  /** From one reading that is sent to the next. */
  readonly intervalMs: number
  readonly metrics: boolean
  readonly events: boolean
}

/** What a message says is accepted. */
export const OTLP_ACCEPTS =
  '"none", or a mapping {endpoint: URL (http or https, without /v1/…), headersFile: PATH (lines "Name: value"; needs https, or http on the ' +
  'loopback), ca: PATH (PEM), interval: TIME (10s to 1h, default 60s), metrics: true or false, events: true or false (both default true)}'

const path = z.string('is not a path').regex(/^\/[^\0]{1,4095}$/, 'is not an absolute path')
const flag = z.boolean('is neither true nor false').prefault(true)

const schema = z.strictObject({
  endpoint: parsed(parseEndpoint),
  headersFile: path.optional(),
  ca: path.optional(),
  interval: parsed(timeBetween('10s', '1h')).prefault('60s'),
  metrics: flag,
  events: flag,
})

/** @throws Error that names the wrong part. */
export function parseOtlpKey(value: unknown): OtlpConfig | 'none' {
  if (value === undefined || value === 'none') return 'none'
  const { endpoint, headersFile, interval, ...rest } = mappingOf(schema, value)
  if (headersFile !== undefined && endpoint.protocol === 'http:' && !isLoopback(endpoint))
    throw new Error('has a wrong part: headersFile would go over the network in the clear: the endpoint is not https')
  if (rest.ca !== undefined && endpoint.protocol !== 'https:')
    throw new Error('has a wrong part: ca is of no use: the endpoint is not https')
  return { endpoint, headersFile, intervalMs: interval, ...rest }
}

function parseEndpoint(value: unknown): URL {
  if (value === undefined) throw new Error('is missing')
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error(`${JSON.stringify(value)} is not a URL of http or https`)
  if (url.username || url.password || url.search || url.hash)
    throw new Error('has a user, a query or a fragment; credentials belong in headersFile')
  if (/\/v1\/(?:logs|metrics|traces)\/?$/.test(url.pathname))
    throw new Error('ends in /v1/…, which diagd puts there itself')
  return url
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
