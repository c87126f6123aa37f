/** A form for S3, signed as a control plane does it: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html */
import { createHmac } from 'node:crypto'
import type { Ceph } from './ceph.ts'

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export function presignedPost({ endpoint, bucket }: Ceph, { accessKeyId, secretAccessKey }: Keys, key: string) {
  const now = new Date()
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const day = time.slice(0, 8)
  const fields = {
    key,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${accessKeyId}/${day}/us-east-1/s3/aws4_request`,
    'x-amz-date': time,
  }
  const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))]
  const expiration = new Date(now.getTime() + 600_000).toISOString()
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
  const sign = (by: Buffer | string, text: string) => createHmac('sha256', by).update(text).digest()
  const signing = [day, 'us-east-1', 's3', 'aws4_request'].reduce<Buffer | string>(sign, `AWS4${secretAccessKey}`)
  const signature = sign(signing, policy).toString('hex')
  return { url: `${endpoint.href}${bucket}`, fields: { ...fields, policy, 'x-amz-signature': signature } }
}
