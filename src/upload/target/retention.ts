/** Optional: the oldest bundles of this node at the target, deleted beyond a number. Nothing else is touched. */
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { UploadTarget } from '../../config/upload-target.ts'
import type { Retention } from '../upload.ts'
import type { Failed } from './failed.ts'
import { ownBundles } from './key.ts'
import type { Ask } from './s3.ts'

type S3Target = Extract<UploadTarget, { kind: 's3' }>

/** A thousand keys each. Below the prefix of one node there are not more. */
const MOST_PAGES = 100
/** One by one: to delete many at once wants checksums, which providers disagree about. The next upload deletes on. */
const MOST_DELETED = 100

/** Never rejects: the bundle has arrived. @returns what there is to say. */
export async function removeOldest(
  ask: Ask,
  target: S3Target,
  { node, maxBundles }: Retention,
): Promise<readonly string[]> {
  const own = ownBundles(target.key, node)
  try {
    const found = await listed(ask, target.bucket, own)
    const oldest = found.toSorted((a, b) => (a.time < b.time ? -1 : 1)).slice(0, Math.max(0, found.length - maxBundles))
    for (const { key } of oldest.slice(0, MOST_DELETED)) {
      const command = { Bucket: target.bucket, Key: key }
      await ask((client, { signal }) => client.send(new DeleteObjectCommand(command), { abortSignal: signal }))
    }
    return oldest.length === 0
      ? []
      : [`${Math.min(oldest.length, MOST_DELETED)} of the oldest bundles deleted at the target`]
  } catch (error) {
    return [`older bundles could not be deleted at the target: ${(error as Failed).message}`]
  }
}

async function listed(ask: Ask, bucket: string, own: ReturnType<typeof ownBundles>) {
  const found: { key: string; time: string }[] = []
  let token: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const command = { Bucket: bucket, Prefix: own.prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }
    const answer = await ask((client, { signal }) =>
      client.send(new ListObjectsV2Command(command), { abortSignal: signal }),
    )
    for (const { Key } of answer.Contents ?? []) {
      const time = Key === undefined ? undefined : own.timeOf(Key)
      if (Key !== undefined && time !== undefined) found.push({ key: Key, time })
    }
    token = answer.NextContinuationToken
    if (token === undefined) return found
  }
  throw new Error(`there are more than ${MOST_PAGES * 1000} objects below ${own.prefix}`)
}
