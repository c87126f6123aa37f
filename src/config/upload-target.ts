/** Where bundles are sent: a bucket, or a control plane that hands out presigned URLs. */
import { z } from 'zod'
import { isLoopback } from './otlp.ts'

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

const TAG = /^[\p{L}\p{N} +\-=._:/@]{1,128}$/u

export const targetShape = {
  target: z.string('is missing, or not a text').min(1, 'is empty').max(2048, 'is too long'),
  endpoint: z.string('is not a URL').optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'is not a region')
    .optional(),
  pathStyle: z.boolean('is neither true nor false').optional(),
  credentials: z.union([z.literal('environment'), z.literal('instance'), path]).optional(),
  ca: path.optional(),
  encryption: z.enum(['none', 'AES256', 'aws:kms'], 'is not none, AES256 or aws:kms').optional(),
  kmsKey: z.string().min(1).max(2048).optional(),
  storageClass: z
    .string()
    .regex(/^[A-Z0-9_]{1,64}$/, 'is not a storage class')
    .optional(),
  tags: z.record(z.string().regex(TAG, 'is not a tag'), z.string().regex(TAG, 'is not a value of a tag')).optional(),
  headersFile: path.optional(),
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
  return { kind: 'control-plane', url: urlOf(given.target, 'target'), headersFile, ca }
}

function s3Target(given: z.infer<typeof shape>): S3Target {
  const { target, endpoint, region, pathStyle, credentials = 'environment', encryption, kmsKey, ca } = given
  if (given.headersFile !== undefined) throw wrong('headersFile is of no use: the target is a bucket')
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(target) ?? []
  if (bucket === undefined) throw wrong(`target ${JSON.stringify(target)} is not s3://BUCKET/KEY`)
  const unknown = /\{(?!node\}|date\}|name\})[^}]*\}?/.exec(key)
  if (unknown) throw wrong(`target has ${unknown[0]} in it; accepted: {node}, {date} and {name}`)
  if (kmsKey !== undefined && encryption !== 'aws:kms') throw wrong('kmsKey is of no use: encryption is not aws:kms')
  if (Object.keys(given.tags ?? {}).length > 10) throw wrong('tags: an object has at most 10')
  const base = key === '' || key.endsWith('/') ? key : key.includes('{name}') ? key : `${key}/`
  return {
    kind: 's3',
    bucket,
    key: key.includes('{name}') ? key : key === '' ? '{node}/{date}/{name}' : `${base}{name}`,
    endpoint: endpoint === undefined ? undefined : urlOf(endpoint, 'endpoint'),
    region: region ?? (endpoint === undefined ? 'us-east-1' : 'auto'),
    pathStyle: pathStyle ?? endpoint !== undefined,
    credentials:
      typeof credentials === 'string' && credentials.startsWith('/')
        ? { from: 'file', path: credentials }
        : from(credentials),
    ca,
    encryption: encryption === 'none' ? undefined : encryption,
    kmsKey,
    storageClass: given.storageClass,
    tags: given.tags ?? {},
  }
}

function from(credentials: string): S3Credentials {
  return credentials === 'instance' ? { from: 'instance' } : { from: 'environment' }
}

/** https, or http on the loopback: what is sent is everything that diagd knows. */
function urlOf(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong(`${what} ${JSON.stringify(text)} is not a URL of https`)
  if (url.protocol === 'http:' && !isLoopback(url))
    throw wrong(`${what} would take bundles over the network in the clear: it is not https`)
  if (url.username || url.password || url.hash)
    throw wrong(`${what} has a user or a fragment; credentials belong into a file`)
  return url
}

function wrong(message: string): Error {
  return new Error(`has a wrong part: ${message}`)
}
