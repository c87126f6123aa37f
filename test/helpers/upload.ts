/** Uploads for tests: bytes of a seed, a job for a bucket, and what lies there in the end. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { UploadTarget } from '../../src/config/upload-target.ts'
import { startSending, type SendOptions, type StartedSending } from '../../src/upload/send/sending.ts'
import type { SendJob } from '../../src/upload/upload.ts'
import { KEYS, type Ceph } from './ceph.ts'
import { temporaryFolder } from './commands.ts'

export const MIB = 1024 * 1024

export type S3Target = Extract<UploadTarget, { kind: 's3' }>

/** Always the same for a seed, and no two MiB of it alike. */
export function bytesOf(length: number, seed = 'seed'): Buffer {
  const bytes = Buffer.alloc(length)
  let word = createHash('sha256').update(seed).digest().readUInt32LE()
  for (let at = 0; at + 4 <= length; at += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(word, at)
  }
  return bytes
}

export function s3Target(ceph: Ceph, more: Partial<S3Target> = {}): S3Target {
  return {
    kind: 's3',
    bucket: ceph.bucket,
    key: '{node}/{date}/{name}',
    endpoint: ceph.endpoint,
    region: 'us-east-1',
    pathStyle: true,
    credentials: { from: 'environment' },
    tags: {},
    ...more,
  }
}

export function jobOf(target: UploadTarget, more: Partial<SendJob> = {}): SendJob {
  const key = `web-1/2026-11-21/${Math.random().toString(36).slice(2)}.tar.gz`
  const metadata = { node: 'web-1', trigger: 'request' }
  return { target, key, contentType: 'application/gzip', metadata, tags: {}, mostBytes: undefined, ...more }
}

/** Small parts and short waits: what is tested is what comes of them. */
export const QUICK: SendOptions = {
  environment: { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey },
  limits: { partBytes: 5 * MIB, firstPauseMs: 10 },
}

export async function writeAll(sending: StartedSending, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 256 * 1024) await sending.sink.write(bytes.subarray(at, at + 256 * 1024))
}

/** Writes all there is, as far as it is taken, and tells how it ended. */
export async function sent(job: SendJob, bytes: Buffer, options: SendOptions = QUICK) {
  const sending = startSending(job, options)
  await writeAll(sending, bytes).catch(() => {})
  return sending.end()
}

export async function objectOf({ client, bucket }: Ceph, key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return Buffer.from(await Body!.transformToByteArray())
}

export async function keysOf({ client, bucket }: Ceph, prefix = ''): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }))
  return Contents.map(({ Key }) => Key!)
}

/** Ids of uploads in parts that lie about. */
export async function leftovers({ client, bucket }: Ceph): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  return Uploads.map(({ UploadId }) => UploadId!)
}

export function secretFile(content: unknown, mode = 0o600): string {
  const path = join(temporaryFolder(), 'credentials.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode })
  return path
}
