/**
 * One request to a collector, and what its answer means (OTLP 1.x over HTTP):
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
import { readFile } from 'node:fs/promises'
import { request as requestPlain, type IncomingMessage } from 'node:http'
import type { OtlpConfig } from '../config/otlp.ts'

export type Delivery =
  | { readonly kind: 'taken'; readonly body: Uint8Array }
  /** The same again may be taken later. */
  | { readonly kind: 'later'; readonly reason: string; readonly retryAfterMs?: number }
  /** The same will never be taken; less of it perhaps. */
  | { readonly kind: 'refused'; readonly reason: string; readonly tooLarge: boolean }

export interface SendOptions extends Pick<OtlpConfig, 'endpoint' | 'headersFile' | 'ca'> {
  readonly version: string
  /** From the first byte of the request to the last of the answer, however slowly they come. */
  readonly timeoutMs?: number
}

/** What exporters of OpenTelemetry wait. */
const TIMEOUT_MS = 10_000
/** A partial success is some hundred bytes. */
const MOST_ANSWER_BYTES = 64 * 1024
/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE = new Set([408, 429, 502, 503, 504])
/**
 * The credential or the address is wrong, not what is sent: it keeps until somebody has mended that. Here we differ from the
 * specification, which gives it up.
 */
const MENDABLE = new Set([401, 403, 404, 407])
const MENDED_AFTER_MS = 60_000

/** Never rejects. */
export async function send(
  signal: 'metrics' | 'logs',
  body: Uint8Array,
  options: SendOptions,
  closing: AbortSignal,
): Promise<Delivery> {
  const late = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
  try {
    return await exchanged(signal, body, options, AbortSignal.any([late, closing]))
  } catch (error) {
    if (late.aborted) return { kind: 'later', reason: 'it did not answer in time' }
    const { code, message } = error as NodeJS.ErrnoException
    return { kind: 'later', reason: code === undefined || message.includes(code) ? message : `${code}: ${message}` }
  }
}

async function exchanged(path: string, body: Uint8Array, options: SendOptions, signal: AbortSignal): Promise<Delivery> {
  const { endpoint, ca, headersFile, version } = options
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${path}`
  const headers = {
    ...(headersFile === undefined ? {} : parseHeaders(await readFile(headersFile, 'utf8'))),
    'content-type': 'application/x-protobuf',
    'content-length': String(body.length),
    'user-agent': `diagd/${version}`,
  }
  const request = url.protocol === 'https:' ? (await import('node:https')).request : requestPlain
  const trusted = ca === undefined ? {} : { ca: await readFile(ca) }
  const answer = await answered(() => request(url, { method: 'POST', headers, signal, ...trusted }), body)
  return meaning(answer)
}

interface Answer extends Pick<IncomingMessage, 'statusCode' | 'headers'> {
  readonly body: Buffer
}

function answered(open: () => ReturnType<typeof requestPlain>, body: Uint8Array): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const asked = open()
  asked.on('error', reject)
  asked.on('response', (response) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_ANSWER_BYTES) response.destroy(new Error(`its answer has more than ${MOST_ANSWER_BYTES} bytes`))
      else chunks.push(chunk)
    })
    response.on('error', reject)
    response.on('end', () => {
      const { statusCode, headers } = response
      resolve({ statusCode, headers, body: Buffer.concat(chunks) })
    })
  })
  asked.end(body)
  return promise
}

function meaning({ statusCode = 0, headers, body }: Answer): Delivery {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken', body }
  const reason = `it answered ${statusCode}`
  if (MENDABLE.has(statusCode)) return { kind: 'later', reason, retryAfterMs: MENDED_AFTER_MS }
  if (!RETRYABLE.has(statusCode)) return { kind: 'refused', reason, tooLarge: statusCode === 413 }
  const retryAfterMs = retryAfter(headers['retry-after'])
  return retryAfterMs === undefined ? { kind: 'later', reason } : { kind: 'later', reason, retryAfterMs }
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,6}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** @throws Error that shows no value. */
export function parseHeaders(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim())
  const pairs = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, at) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]+)$/.exec(line) ?? []
      if (name === undefined || value === undefined)
        throw new Error(`header ${at + 1} of headersFile is not "Name: value"`)
      return [name.toLowerCase(), value] as const
    })
  return Object.fromEntries(pairs)
}
