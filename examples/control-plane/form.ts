/**
 * A form that puts one object into a bucket, signed for that (SigV4, "POST policy"): the one way in which S3 itself checks how large something may become.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 */
import { createHmac } from 'node:crypto'

export interface Form {
  /** Of letters that a URL leaves as they are. */
  readonly key: string
  readonly mostBytes: number
  /** Sent along as they are: `content-type`, `x-amz-meta-…`. */
  readonly fields: Readonly<Record<string, string>>
}

interface Where {
  readonly bucket: string
  readonly region: string
}

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

interface Valid {
  readonly now: Date
  readonly seconds: number
}

/** @returns the fields of the form, in the order in which they are to be sent. */
export function signedForm(
  { bucket, region, key, mostBytes, fields }: Form & Where,
  { accessKeyId, secretAccessKey, sessionToken }: Keys,
  { now, seconds }: Valid,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), region, 's3', 'aws4_request']
  const all = {
    ...fields,
    key,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': [accessKeyId, ...scope].join('/'),
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  // Whatever is sent has to be as it is said here, and nothing else may be.
  const equal = Object.entries({ bucket, ...all }).map(([name, value]) => ({ [name]: value }))
  const conditions = [...equal, ['content-length-range', 1, mostBytes]]
  const expiration = new Date(now.getTime() + seconds * 1000).toISOString()
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
  const sign = (by: Buffer | string, text: string) => createHmac('sha256', by).update(text).digest()
  const signing = scope.reduce<Buffer | string>(sign, `AWS4${secretAccessKey}`)
  return { ...all, policy, 'x-amz-signature': sign(signing, policy).toString('hex') }
}
