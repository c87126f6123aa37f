/** Where bundles are sent: a bucket, or a control plane that hands out presigned URLs. */
import { z } from 'zod'
import { isLoopback } from './otlp.ts'
import { parsed } from './parsed.ts'

export type UploadTarget = S3Target | ControlPlaneTarget

/** AWS S3, Cloudflare R2, MinIO, Ceph, Hetzner…: what differs is in docs/uploads.md. */
interface S3Target {
  readonly kind: 's3'
  readonly bucket: string
  /** Of the object, with {node}, {date} and {name} in it; {name} is always there. */
  readonly key: string
  /** undefined: AWS itself. */
  readonly endpoint?: URL | undefined
  readonly region: string
  /** The bucket in the path, not in the name of the host. */
  readonly pathStyle: boolean
  readonly credentials: S3Credentials
  /** PEM of the authority of its certificate, where it is none of those that come with the runtime. */
  readonly ca?: string | undefined
  readonly encryption?: 'AES256' | 'aws:kms' | undefined
  readonly kmsKey?: string | undefined
  readonly storageClass?: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

/**
 * `file`: JSON {accessKeyId, secretAccessKey, sessionToken?}, of mode 0600, read before each try. `environment`: AWS_ACCESS_KEY_ID and so on.
 * `instance`: the metadata service of the machine (IMDSv2).
 */
type S3Credentials =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'environment' }
  | { readonly from: 'instance' }

interface ControlPlaneTarget {
  readonly kind: 'control-plane'
  /** Is asked by POST what to do. */
  readonly url: URL
  /** Lines `Name: value`, read before each try. */
  readonly headersFile?: string | undefined
  readonly ca?: string | undefined
}

const path = z.string('is not a path').regex(/^\/[^\0]{1,4095}$/, 'is not an absolute path')

/** What all providers take; a value may be empty. */
const TAG = /^(?!aws:)[\p{L}\p{N} +\-=._:/@]{1,128}$/iu
const TAG_VALUE = /^[\p{L}\p{N} +\-=._:/@]{0,256}$/u
/** Of an object; the names in braces become at most some 200. */
const MOST_TAGS = 10
const MOST_KEY_BYTES = 700

export const targetShape = {
  target: z.string('is missing, or not a text').min(1, 'is empty').max(2048, 'is too long'),
  endpoint: z.string('is not a URL').optional(),
  region: matching(/^[a-z0-9-]{1,64}$/, 'is not a region'),
  pathStyle: z.boolean('is neither true nor false').optional(),
  credentials: matching(
    /^(?:environment|instance|\/[^\0]{1,4095})$/,
    'is not "environment", "instance" or an absolute path',
  ),
  ca: path.optional(),
  encryption: z.enum(['none', 'AES256', 'aws:kms'], 'is not none, AES256 or aws:kms').optional(),
  kmsKey: matching(/^[\x21-\x7e]{1,2048}$/, 'is not the id of a key'),
  storageClass: matching(/^[A-Z0-9_]{1,64}$/, 'is not a storage class (STANDARD_IA)'),
  tags: parsed(parseTags).optional(),
  headersFile: path.optional(),
}

function matching(form: RegExp, words: string) {
  return z.string(words).regex(form, words).optional()
}

function parseTags(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('is not a mapping')
  const tags: [string, unknown][] = Object.entries(value)
  if (tags.length > MOST_TAGS) throw new Error(`has ${tags.length} tags; an object has at most ${MOST_TAGS}`)
  for (const [name, text] of tags) {
    if (!TAG.test(name)) throw new Error(`has a name that is none of a tag: ${JSON.stringify(name)}`)
    if (typeof text !== 'string' || !TAG_VALUE.test(text)) throw new Error(`${name} is not a text that a tag can have`)
  }
  return value as Readonly<Record<string, string>>
}

const shape = z.strictObject(targetShape)

/** What is of no use to one of the two. */
const OF_S3 = [
  'endpoint',
  'region',
  'pathStyle',
  'credentials',
  'encryption',
  'kmsKey',
  'storageClass',
  'tags',
] as const

/** @throws Error that names the wrong part. */
export function parseTarget(given: z.infer<typeof shape>): UploadTarget {
  if (given.target.startsWith('s3://')) return s3Target(given)
  const unused = OF_S3.find((key) => given[key] !== undefined)
  if (unused !== undefined) throw wrong(`${unused} is of no use: the target is no bucket (s3://…)`)
  const { headersFile, ca } = given
  const url = urlOf(given.target, 'target')
  if (ca !== undefined && url.protocol === 'http:') throw wrong('ca is of no use: the target is not https')
  return { kind: 'control-plane', url, headersFile, ca }
}

function s3Target(given: z.infer<typeof shape>): S3Target {
  const { target, endpoint, region, pathStyle, credentials = 'environment', encryption, kmsKey, ca } = given
  if (given.headersFile !== undefined) throw wrong('headersFile is of no use: the target is a bucket')
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(target) ?? []
  if (bucket === undefined) throw wrong(`target ${JSON.stringify(target)} is not s3://BUCKET/KEY`)
  if (kmsKey !== undefined && encryption !== 'aws:kms') throw wrong('kmsKey is of no use: encryption is not aws:kms')
  const url = endpoint === undefined ? undefined : urlOf(endpoint, 'endpoint')
  if (url?.search) throw wrong('endpoint has a query')
  if (ca !== undefined && url?.protocol === 'http:') throw wrong('ca is of no use: the endpoint is not https')
  return {
    kind: 's3',
    bucket,
    key: keyOf(key),
    endpoint: url,
    region: region ?? (url ? 'auto' : 'us-east-1'),
    pathStyle: pathStyle ?? url !== undefined,
    credentials: credentialsOf(credentials),
    ca,
    encryption: encryption === 'none' ? undefined : encryption,
    kmsKey,
    storageClass: given.storageClass,
    tags: given.tags ?? {},
  }
}

/** The name of the bundle is always in it: else one would take the place of the other. */
function keyOf(given: string): string {
  const unknown = /\{(?!node\}|date\}|name\})[^}]*\}?/.exec(given)
  if (unknown) throw wrong(`target has ${unknown[0]} in it; accepted: {node}, {date} and {name}`)
  if (/[\p{Cc}\\]|^\/|\/\/|(?:^|\/)\.\.?(?:\/|$)/u.test(given) || Buffer.byteLength(given) > MOST_KEY_BYTES)
    throw wrong(
      `target: its key has empty parts, "." or "..", control characters, or more than ${MOST_KEY_BYTES} bytes in it`,
    )
  if (given === '') return '{node}/{date}/{name}'
  if (given.includes('{name}')) return given
  return given.endsWith('/') ? `${given}{name}` : `${given}/{name}`
}

function credentialsOf(credentials: string): S3Credentials {
  if (credentials.startsWith('/')) return { from: 'file', path: credentials }
  return { from: credentials === 'instance' ? 'instance' : 'environment' }
}

/** https, or http on the loopback: what is sent is everything that diagd knows. */
function urlOf(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong(`${what} is not a URL of https`)
  if (url.protocol === 'http:' && !isLoopback(url))
    throw wrong(`${what} would take bundles over the network in the clear: it is not https`)
  if (url.username || url.password || url.hash)
    throw wrong(`${what} has a user or a fragment; credentials belong in a file`)
  return url
}

function wrong(message: string): Error {
  return new Error(`has a wrong part: ${message}`)
}
