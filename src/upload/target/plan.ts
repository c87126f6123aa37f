/** What a control plane answers: where the bundle goes, and how. docs/uploads-protocol.md has it with examples. */
import { failed, said } from './failed.ts'

export interface Signed {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

export type Plan = Common &
  (
    | { readonly kind: 'put'; readonly put: Signed }
    | { readonly kind: 'post'; readonly url: URL; readonly fields: Readonly<Record<string, string>> }
    | { readonly kind: 'multipart'; readonly multipart: MultipartPlan }
  )

interface Common {
  /** Where it will be, for people. */
  readonly key: string | undefined
  /** Asked by HEAD how much has arrived. */
  readonly verify: Signed | undefined
}

export interface MultipartPlan {
  readonly id: string
  readonly partBytes: number
  /** Of part 1 and on; more are asked for when they are needed. */
  readonly parts: readonly URL[]
  /** Without them the control plane is asked to. */
  readonly complete: Signed | undefined
  readonly abort: Signed | undefined
}

const MIB = 1024 * 1024
/** Of S3; and what a part may cost in memory. */
const PART_BYTES = { least: 5 * MIB, most: 64 * MIB }
const MOST_PARTS = 10_000

/** @throws Failed that names what is wrong, and shows no URL. */
export function parsePlan(text: string, host: string): Plan {
  const { fields, fail } = parsed(text, host)
  const key = fields['key'] === undefined ? undefined : said(asText(fields['key'], 'key', fail))
  const common: Common = { key, verify: optional(fields['verify'], 'verify', fail) }
  const kinds = ['put', 'post', 'multipart'].filter((kind) => fields[kind] !== undefined)
  if (kinds.length !== 1) throw fail('it has to have one of put, post and multipart')
  if (kinds[0] === 'put') return { ...common, kind: 'put', put: asSigned(fields['put'], 'put', fail) }
  if (kinds[0] === 'post') {
    const { url, fields: form } = asRecord(fields['post'], 'post', fail)
    return { ...common, kind: 'post', url: asUrl(url, 'post.url', fail), fields: asTexts(form, 'post.fields', fail) }
  }
  return { ...common, kind: 'multipart', multipart: asMultipart(fields['multipart'], fail) }
}

/** @throws Failed */
export function parseMoreParts(text: string, host: string): readonly URL[] {
  const { fields, fail } = parsed(text, host)
  const parts = asUrls(fields['parts'], 'parts', fail)
  if (parts.length === 0) throw fail('parts is empty: there are more to send')
  return parts
}

type Fail = (what: string) => Error

function parsed(text: string, host: string): { fields: Record<string, unknown>; fail: Fail } {
  const fail: Fail = (what) => failed('bad-answer', `the answer of ${host} is of no use: ${what}`, { permanent: true })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw fail('it is not JSON')
  }
  return { fields: asRecord(value, 'it', fail), fail }
}

function asMultipart(value: unknown, fail: Fail): MultipartPlan {
  const { id, partBytes, parts, complete, abort } = asRecord(value, 'multipart', fail)
  if (typeof partBytes !== 'number' || !(partBytes >= PART_BYTES.least && partBytes <= PART_BYTES.most))
    throw fail(`multipart.partBytes is not a number from ${PART_BYTES.least} to ${PART_BYTES.most}`)
  return {
    id: asText(id, 'multipart.id', fail),
    partBytes: Math.floor(partBytes),
    parts: parts === undefined ? [] : asUrls(parts, 'multipart.parts', fail),
    complete: optional(complete, 'multipart.complete', fail),
    abort: optional(abort, 'multipart.abort', fail),
  }
}

function optional(value: unknown, name: string, fail: Fail): Signed | undefined {
  return value === undefined ? undefined : asSigned(value, name, fail)
}

function asSigned(value: unknown, name: string, fail: Fail): Signed {
  const { url, headers } = asRecord(value, name, fail)
  return {
    url: asUrl(url, `${name}.url`, fail),
    headers: headers === undefined ? {} : asTexts(headers, `${name}.headers`, fail),
  }
}

function asRecord(value: unknown, name: string, fail: Fail): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(`${name} is not an object`)
  return value as Record<string, unknown>
}

function asText(value: unknown, name: string, fail: Fail): string {
  if (typeof value !== 'string' || value === '' || value.length > 2048) throw fail(`${name} is not a text`)
  return value
}

function asTexts(value: unknown, name: string, fail: Fail): Record<string, string> {
  const record = asRecord(value, name, fail)
  for (const one of Object.values(record))
    if (typeof one !== 'string' || /[\r\n]/.test(one)) throw fail(`a value of ${name} is not a text of one line`)
  return record as Record<string, string>
}

function asUrls(value: unknown, name: string, fail: Fail): URL[] {
  if (!Array.isArray(value) || value.length > MOST_PARTS) throw fail(`${name} is not a list of at most ${MOST_PARTS}`)
  return value.map((one) => asUrl(one, name, fail))
}

/** Encrypted, or on this machine: a bundle is everything that diagd knows. */
function asUrl(value: unknown, name: string, fail: Fail): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined) throw fail(`${name} is not a URL`)
  const isHere = /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) throw fail(`${name} is not a URL of https`)
  return url
}
