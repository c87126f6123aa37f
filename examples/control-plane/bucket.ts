/** The bucket by the AWS SDK: its client, whose secret stays here, and URLs that are good for one thing in it. */
import { readFile } from 'node:fs/promises'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import type { PutObjectCommandInput, UploadPartCommandInput } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { signedForm, type Form } from './form.ts'
import type { StorageSettings } from './nodes.ts'

export interface Bucket {
  readonly client: S3Client
  /** For people. */
  readonly host: string
  readonly signed: {
    put(object: Omit<PutObjectCommandInput, 'Bucket'>): Promise<string>
    part(part: Omit<UploadPartCommandInput, 'Bucket'>): Promise<string>
    form(form: Form): Promise<{ readonly url: string; readonly fields: Record<string, string> }>
    head(key: string): Promise<string>
    /** As a file of that name. */
    get(key: string, name: string): Promise<string>
  }
}

const HOUR_S = 3600
/** It is asked at the very end of an upload, and tells a length and no more. */
const HEAD_S = 24 * HOUR_S
const GET_S = 300

/** In the query of a URL some who speak S3 do not see them. */
const SENT_AS_HEADERS = new Set(['node', 'boot-id', 'trigger', 'bundle-id'].map((name) => `x-amz-meta-${name}`))

export function openBucket(settings: StorageSettings, now: () => Date): Bucket {
  const { bucket: Bucket, endpoint, region, pathStyle, credentialsFile } = settings
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    // Without a file: the environment, or the role of the machine.
    ...(credentialsFile === undefined ? {} : { credentials: credentialsIn(credentialsFile) }),
    // Otherwise a URL wants a checksum of what nobody has seen yet.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  const valid = (expiresIn: number) => ({ expiresIn, signingDate: now(), unhoistableHeaders: SENT_AS_HEADERS })
  const head = (Key: string) => getSignedUrl(client, new HeadObjectCommand({ Bucket, Key }), valid(HEAD_S))
  return {
    client,
    host: endpoint === undefined ? `S3 in ${region}` : new URL(endpoint).host,
    signed: {
      put: (object) => getSignedUrl(client, new PutObjectCommand({ ...object, Bucket }), valid(HOUR_S)),
      part: (part) => getSignedUrl(client, new UploadPartCommand({ ...part, Bucket }), valid(HOUR_S)),
      head,
      get(Key, name) {
        // A node chose the type when it sent it: a browser takes it for a file, whatever it is.
        const asFile = { ResponseContentDisposition: `attachment; filename="${name}"` }
        return getSignedUrl(client, new GetObjectCommand({ Bucket, Key, ...asFile }), valid(GET_S))
      },
      async form(form) {
        // As the SDK addresses it: the bucket in the path, or in the name of the host.
        const { origin, pathname } = new URL(await head(form.key))
        const url = origin + pathname.slice(0, -form.key.length)
        const keys = await client.config.credentials()
        return { url, fields: signedForm({ bucket: Bucket, region, ...form }, keys, { now: now(), seconds: HOUR_S }) }
      },
    },
  }
}

/** JSON {accessKeyId, secretAccessKey, sessionToken?}, as diagd's own. */
function credentialsIn(path: string) {
  return async () => {
    const found = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    const { accessKeyId, secretAccessKey, sessionToken } = found
    if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
      throw new Error(`${path} is not JSON with accessKeyId and secretAccessKey`)
    // About to expire, so that the SDK reads the file again each time: a new key needs no restart.
    const keys = { accessKeyId, secretAccessKey, expiration: new Date(Date.now() + 1000) }
    return typeof sessionToken === 'string' ? { ...keys, sessionToken } : keys
  }
}
