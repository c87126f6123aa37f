/** What the control plane does with its bucket: uploads of nodes are begun, signed, ended; what has arrived is listed. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { openBucket } from './bucket.ts'
import { BUNDLE_NAME, keyOf, timeIn } from './bundle-key.ts'
import type { StorageSettings } from './nodes.ts'
import { Problem } from './problems.ts'
import { failedThere, isGone } from './storage-problem.ts'
import type { Abort, Complete, MoreParts, Start } from './upload-question.ts'

export interface Bundle {
  readonly name: string
  /** When it was begun, as its name says: ISO 8601. */
  readonly time: string
  readonly sizeBytes: number
}

/** Of one node each; what the first four resolve with is the answer to the node. All reject with a Problem. */
export interface Storage {
  start(node: string, question: Start): Promise<object>
  moreParts(node: string, question: MoreParts): Promise<object>
  complete(node: string, question: Complete): Promise<object>
  abort(node: string, question: Abort): Promise<object>
  /** Newest first, those that arrived whole. */
  bundles(node: string, limit: number): Promise<readonly Bundle[]>
  /** Where a browser gets one of them. */
  download(node: string, name: string): Promise<string>
}

const MIB = 1024 * 1024
/** A node holds so much in memory, and no more, where it is one request. */
const MOST_WHOLE_BYTES = 64 * MIB
const PART_BYTES = 8 * MIB
const MOST_PARTS = 10_000
/** Few at a time: each is good for an hour, however long the whole takes. */
const PARTS_AT_ONCE = 4
/** A thousand keys each. */
const MOST_PAGES = 50

/** @param now by which URLs are signed. */
export function openStorage(settings: StorageSettings, now: () => Date = () => new Date()): Storage {
  const { bucket: Bucket, prefix, whole } = settings
  const { client, host, signed } = openBucket(settings, now)

  const told = <T>(node: string, asking: Promise<T>): Promise<T> =>
    asking.catch((error: unknown) => {
      throw failedThere(error, host, node)
    })
  const partUrls = (Key: string, UploadId: string, from: number): Promise<string[]> => {
    const length = Math.min(PARTS_AT_ONCE, MOST_PARTS + 1 - from)
    return Promise.all(Array.from({ length }, (_, index) => signed.part({ Key, UploadId, PartNumber: from + index })))
  }
  const sizeOf = async (Key: string): Promise<number | undefined> => {
    const head = await client.send(new HeadObjectCommand({ Bucket, Key })).catch((error: unknown) => {
      if (!isGone(error)) throw error
    })
    return head?.ContentLength
  }
  const inParts = async (object: { Key: string; ContentType: string }, mostBytes = 0) => {
    const { UploadId: id = '' } = await client.send(new CreateMultipartUploadCommand({ ...object, Bucket }))
    const partBytes = Math.max(PART_BYTES, Math.ceil(mostBytes / MOST_PARTS))
    return { multipart: { id, partBytes, parts: await partUrls(object.Key, id, 1) } }
  }
  const inOne = async (object: { Key: string; ContentType: string; Metadata: Metadata }, mostBytes: number) => {
    const { Key: key, ContentType, Metadata } = object
    const metadata = Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
    const headers = { 'content-type': ContentType, ...(Object.fromEntries(metadata) as Metadata) }
    if (whole === 'form') return { post: await signed.form({ key, mostBytes, fields: headers }) }
    return { put: { url: await signed.put(object), headers } }
  }

  return {
    start(node, { name, contentType, mostBytes, ...facts }) {
      const Key = keyOf(prefix, node, name)
      const object = { Key, ContentType: contentType, Metadata: metadataOf(node, facts) }
      const isSmall = mostBytes !== undefined && mostBytes <= MOST_WHOLE_BYTES
      const way = isSmall ? inOne(object, mostBytes) : inParts(object, mostBytes)
      const plan = async () => ({ key: Key, ...(await way), verify: { url: await signed.head(Key) } })
      return told(node, plan())
    },
    async moreParts(node, { id, name, from }) {
      return { parts: await told(node, partUrls(keyOf(prefix, node, name), id, from)) }
    },
    async complete(node, { id, name, parts, sizeBytes }) {
      const Key = keyOf(prefix, node, name)
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
      const object = { Bucket, Key, UploadId: id, MultipartUpload: { Parts } }
      const completed = client.send(new CompleteMultipartUploadCommand(object)).catch(async (error: unknown) => {
        // Asked again, for the first answer was lost: then it is there.
        if (!isGone(error) || (await sizeOf(Key)) !== sizeBytes) throw error
      })
      await told(node, completed)
      return {}
    },
    async abort(node, { id, name }) {
      const object = { Bucket, Key: keyOf(prefix, node, name), UploadId: id }
      const aborted = client.send(new AbortMultipartUploadCommand(object)).catch((error: unknown) => {
        if (!isGone(error)) throw error
      })
      await told(node, aborted)
      return {}
    },
    async bundles(node, limit) {
      const Prefix = `${prefix}${node}/`
      let newest: Bundle[] = []
      let token: string | undefined
      // Keys come in order, which is that of time: the last are the newest.
      for (let page = 0; page < MOST_PAGES; page++) {
        const more = token === undefined ? {} : { ContinuationToken: token }
        const found = await told(node, client.send(new ListObjectsV2Command({ Bucket, Prefix, ...more })))
        const bundles = (found.Contents ?? []).flatMap(({ Key = '', Size: sizeBytes = 0 }) => {
          const name = Key.slice(Key.lastIndexOf('/') + 1)
          // What somebody else put there is no bundle.
          if (!BUNDLE_NAME.test(name) || Key !== keyOf(prefix, node, name)) return []
          return [{ name, time: timeIn(name), sizeBytes }]
        })
        newest = [...newest, ...bundles].slice(-limit)
        token = found.NextContinuationToken
        if (token === undefined) return newest.toReversed()
      }
      throw new Problem('storage-failed', `${host}: more than ${MOST_PAGES}000 objects are below ${Prefix}`, { node })
    },
    async download(node, name) {
      const key = keyOf(prefix, node, name)
      if ((await told(node, sizeOf(key))) === undefined)
        throw new Problem('bundle-unknown', `${name} is not there`, { node })
      return told(node, signed.get(key, name))
    },
  }
}

type Metadata = Record<string, string>

/** Who the node is its credential says, whatever it says itself. */
function metadataOf(node: string, { bootId, trigger, bundleId }: Partial<Start>): Metadata {
  const facts = { node, 'boot-id': bootId, trigger, 'bundle-id': bundleId }
  const known = Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined)
  return Object.fromEntries(known)
}
