/** A bucket as the place of a bundle. */
import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { UploadTarget } from '../../config/upload-target.ts'
import type { SendJob } from '../upload.ts'
import { readCredentials, type Credentials } from './credentials.ts'
import { failed, Failed } from './failed.ts'
import type { Line, Try } from './line.ts'
import { createPartSizes } from './part-sizes.ts'
import type { Place } from './place.ts'
import { providerOf } from './provider.ts'
import { removeOldest } from './retention.ts'
import { createS3Client } from './s3-client.ts'
import { s3Failure, type S3Facts } from './s3-failure.ts'
import { createSums } from './sums.ts'

export interface S3Job extends SendJob {
  readonly target: Extract<UploadTarget, { kind: 's3' }>
}

/** How one command is sent: tried again, paced, and its failure told in our words. */
export type Ask = <T>(one: (client: S3Client, attempt: Try) => Promise<T>, line?: Line) => Promise<T>

/** @throws Failed */
export async function openS3(job: S3Job, line: Line, environment: Partial<Credentials> | undefined): Promise<Place> {
  const { target, key } = job
  const credentials = await readCredentials(target.credentials, environment)
  const client = await createS3Client(target, credentials, line.limits.connectMs)
  const { secretAccessKey, sessionToken } = credentials
  const secrets = [secretAccessKey, sessionToken].filter((secret) => secret !== undefined)
  const host = target.endpoint?.host ?? `s3.${target.region}.amazonaws.com`
  const facts: S3Facts = { host, bucket: target.bucket, region: target.region, secrets }
  const ask: Ask = (one, by = line) =>
    by.tried(
      host,
      (attempt) => one(client, attempt),
      (error) => s3Failure(error, facts),
    )
  const provider = providerOf(target.endpoint)
  const sizes = createPartSizes(job.mostBytes, provider.equalParts, line.limits.partBytes)
  const sums = provider.checksums ? createSums() : undefined
  const sumOf = (number: number, bytes: Buffer) =>
    sums === undefined ? {} : { ChecksumCRC32: sums.add(number, bytes) }
  const object = { Bucket: target.bucket, Key: key }
  const abort = (multipartId: string, ofKey: string) =>
    abortMultipart(ask, line.afterwards(), { ...object, Key: ofKey, UploadId: multipartId })
  let id: string | undefined
  let isCertain = true
  return {
    key,
    partBytes: sizes.bytesOf,
    async put(bytes, whole) {
      const put = { ...object, ...facesOf(job, whole.metadata), ...sumOf(1, bytes) }
      await ask((client, attempt) =>
        client.send(
          signed(new PutObjectCommand({ ...put, ...bodyOf(bytes, attempt) }), whole.sha256),
          options(attempt),
        ),
      )
    },
    async begin() {
      const checksum = sums ? ({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const) : {}
      const command = { ...object, ...facesOf(job, {}), ...checksum }
      let asked = 0
      const { UploadId } = await ask((client, attempt) => {
        // The answer to the one before may have been lost on its way, and what it began lies there.
        isCertain = ++asked === 1
        return client.send(new CreateMultipartUploadCommand(command), options(attempt))
      })
      if (!UploadId) throw failed('bad-answer', `${host} began an upload in parts and did not tell its id`)
      id = UploadId
      return UploadId
    },
    async part(number, bytes) {
      const part = { ...object, UploadId: id, PartNumber: number, ...sumOf(number, bytes) }
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const { ETag } = await ask((client, attempt) =>
        client.send(signed(new UploadPartCommand({ ...part, ...bodyOf(bytes, attempt) }), sha256), options(attempt)),
      )
      if (!ETag) throw failed('bad-answer', `${host} took part ${number} and did not say what it got (no ETag)`)
      return { number, etag: ETag }
    },
    async complete(parts) {
      const MultipartUpload = { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) }
      const checksum = sums ? ({ ChecksumCRC32: sums.whole(), ChecksumType: 'FULL_OBJECT' } as const) : {}
      const command = { ...object, UploadId: id, MultipartUpload, ...checksum }
      let asked = 0
      await ask((client, attempt) => {
        asked++
        return client.send(new CompleteMultipartUploadCommand(command), options(attempt)).catch((error: Error) => {
          // It was completed before, and the answer was lost: the HEAD will tell.
          if (asked > 1 && error.name === 'NoSuchUpload') return
          throw error
        })
      })
      if (!isCertain) await abortAllOf(ask, line.afterwards(), object)
    },
    async abort(multipartId, ofKey) {
      await abort(multipartId, ofKey)
      if (multipartId === id && !isCertain) await abortAllOf(ask, line.afterwards(), object)
    },
    async verify(whole) {
      const command = { ...object, ...(sums ? ({ ChecksumMode: 'ENABLED' } as const) : {}) }
      const head = await ask((client, attempt) => client.send(new HeadObjectCommand(command), options(attempt))).catch(
        (error: Failed) => error,
      )
      if (head instanceof Failed) return unverified(head)
      const why = [
        head.ContentLength !== whole.sizeBytes && `${head.ContentLength} bytes, ${whole.sizeBytes} were sent`,
        sums && head.ChecksumCRC32 !== undefined && head.ChecksumCRC32 !== sums.whole() && 'another checksum',
        Object.entries(job.metadata).some(([name, value]) => head.Metadata?.[name] !== value) && 'other metadata',
      ].find((one) => typeof one === 'string')
      if (why !== undefined) throw failed('not-verified', `${key} is there, but not as it was sent: it has ${why}`)
      return { verified: true }
    },
    retain: () => (job.retention === undefined ? Promise.resolve([]) : removeOldest(ask, target, job.retention)),
  }
}

function options({ signal }: Try) {
  return { abortSignal: signal }
}

function bodyOf(bytes: Buffer, attempt: Try) {
  return { Body: attempt.body(bytes), ContentLength: bytes.length }
}

interface HasStack {
  readonly middlewareStack: { add(middleware: never, options: { step: 'build' }): void }
}

/** The body is a stream, so its hash has to be told to who signs; the target holds it against what arrives. */
function signed<T extends HasStack>(command: T, sha256: string): T {
  const middleware =
    (next: (given: unknown) => unknown) => (given: { request: { headers: Record<string, string> } }) => {
      given.request.headers['x-amz-content-sha256'] = sha256
      return next(given)
    }
  command.middlewareStack.add(middleware as never, { step: 'build' })
  return command
}

/** What an object has beside its bytes. */
function facesOf({ target, contentType, metadata, tags }: S3Job, more: Readonly<Record<string, string>>) {
  const all = Object.entries({ ...target.tags, ...tags })
  const Tagging = all.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  return {
    ContentType: contentType,
    Metadata: { ...metadata, ...more },
    ...(Tagging === '' ? {} : { Tagging }),
    ...(target.encryption === undefined ? {} : { ServerSideEncryption: target.encryption }),
    ...(target.kmsKey === undefined ? {} : { SSEKMSKeyId: target.kmsKey }),
    ...(target.storageClass === undefined ? {} : { StorageClass: target.storageClass as 'STANDARD' }),
  }
}

interface Multipart {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
}

async function abortMultipart(ask: Ask, line: Line, multipart: Multipart): Promise<void> {
  await ask(
    (client, attempt) =>
      client.send(new AbortMultipartUploadCommand(multipart), options(attempt)).catch((error: Error) => {
        if (error.name !== 'NoSuchUpload') throw error
      }),
    line,
  )
}

/** Of this key, which no other bundle has. Not everybody may list them: then the rule of the bucket removes them. */
async function abortAllOf(
  ask: Ask,
  line: Line,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<void> {
  try {
    const command = { Bucket: object.Bucket, Prefix: object.Key }
    const { Uploads = [] } = await ask(
      (client, attempt) => client.send(new ListMultipartUploadsCommand(command), options(attempt)),
      line,
    )
    for (const { Key, UploadId } of Uploads)
      if (Key === object.Key && UploadId !== undefined) await abortMultipart(ask, line, { ...object, UploadId })
  } catch {}
}

/** @throws Failed where it is certain that it is not there. */
function unverified({ failure }: Failed): { verified: false; note: string } {
  if (failure.kind === 'forbidden')
    return { verified: false, note: `what was sent could not be verified, for it may not be read: ${failure.message}` }
  throw failed('not-verified', `what was sent could not be verified: ${failure.message}`)
}
