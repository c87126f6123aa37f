import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, onTestFinished, test } from 'vitest'
import type { UploadTarget } from '../../src/config/upload-target.ts'
import { abortStale, startSending } from '../../src/upload/send/sending.ts'
import { describeWithCeph, KEYS, type Ceph } from '../helpers/ceph.ts'
import { presignedPost } from '../helpers/presigned-post.ts'
import { bytesOf, jobOf, leftovers, MIB, objectOf, QUICK, secretFile, sent, writeAll } from '../helpers/upload.ts'

const never = new AbortController().signal

type Asked = Readonly<Record<string, unknown>>
type Reply = object | { readonly status: number; readonly headers?: Record<string, string>; readonly body: string }

/** A control plane that answers as it is told. */
async function planeOf(reply: (asked: Asked) => Reply | Promise<Reply>, headersFile?: string) {
  const asked: Asked[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const question = JSON.parse(Buffer.concat(chunks).toString()) as Asked
      asked.push(question)
      headers.push(request.headers)
      const answer = await reply(question)
      if ('status' in answer) response.writeHead(answer.status, answer.headers).end(answer.body)
      else response.end(JSON.stringify(answer))
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/uploads`)
  const target: UploadTarget = { kind: 'control-plane', url, headersFile }
  return { target, asked, headers }
}

/** What a control plane in front of Ceph answers about an upload in parts; as S3 presigns it, with so many URLs at a time. */
function inParts({ client, bucket }: Ceph, { signsAll }: { signsAll: boolean }) {
  const Bucket = bucket
  const urlsOf = (Key: string, UploadId: string, from: number) =>
    Promise.all(
      [from, from + 1].map((PartNumber) =>
        getSignedUrl(client, new UploadPartCommand({ Bucket, Key, UploadId, PartNumber })),
      ),
    )
  return async (asked: Asked): Promise<Reply> => {
    const [Key, UploadId] = [String(asked['key']), String(asked['id'])]
    const object = { Bucket, Key, UploadId }
    switch (asked['action']) {
      case 'start': {
        const { UploadId: id = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
        const signed = {
          complete: {
            url: await getSignedUrl(client, new CompleteMultipartUploadCommand({ ...object, UploadId: id })),
          },
          abort: { url: await getSignedUrl(client, new AbortMultipartUploadCommand({ ...object, UploadId: id })) },
        }
        const multipart = { id, partBytes: 5 * MIB, parts: await urlsOf(Key, id, 1), ...(signsAll ? signed : {}) }
        return { multipart, verify: { url: await getSignedUrl(client, new HeadObjectCommand({ Bucket, Key })) } }
      }
      case 'parts':
        return { parts: await urlsOf(Key, UploadId, Number(asked['from'])) }
      case 'complete': {
        const Parts = (asked['parts'] as { number: number; etag: string }[]).map(({ number, etag }) => ({
          PartNumber: number,
          ETag: etag,
        }))
        await client.send(new CompleteMultipartUploadCommand({ ...object, MultipartUpload: { Parts } }))
        return {}
      }
      default:
        await client.send(new AbortMultipartUploadCommand(object))
        return {}
    }
  }
}

describeWithCeph('an upload by a control plane', (ceph) => {
  test('is told what comes, and with which headers it wants to be asked', async () => {
    const plane = await planeOf(
      async ({ key }) => ({
        put: {
          url: await getSignedUrl(ceph().client, new PutObjectCommand({ Bucket: ceph().bucket, Key: String(key) })),
        },
      }),
      secretFile('Authorization: Bearer hush\n'),
    )
    const metadata = { node: 'web-1', 'boot-id': 'b1', trigger: 'unit', 'bundle-id': 'debug-1' }
    const job = jobOf(plane.target, { metadata, mostBytes: 9 })
    const bytes = bytesOf(700_000)
    expect(await sent(job, bytes)).toMatchObject({
      sent: { key: job.key, sizeBytes: 700_000, verified: false, notes: [expect.stringContaining('no URL to look')] },
    })
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
    expect(plane.asked).toEqual([
      {
        schema: 'diagd.upload/1',
        action: 'start',
        node: 'web-1',
        bootId: 'b1',
        bundleId: 'debug-1',
        name: job.key.split('/').at(-1),
        key: job.key,
        trigger: 'unit',
        contentType: 'application/gzip',
        mostBytes: 9,
        metadata,
        tags: {},
      },
    ])
    expect(plane.headers[0]).toMatchObject({ authorization: 'Bearer hush' })
  })

  test('goes as a form, where that is what it answers', async () => {
    const plane = await planeOf(({ key }) => ({ post: presignedPost(ceph(), KEYS, String(key)) }))
    const job = jobOf(plane.target)
    const bytes = bytesOf(200_000)
    expect(await sent(job, bytes)).toMatchObject({ sent: { sizeBytes: 200_000 } })
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
  })

  test.for([true, false])(
    'goes in parts, ended by S3 itself: %s; URLs are asked for when they are needed',
    async (signsAll) => {
      const plane = await planeOf(inParts(ceph(), { signsAll }))
      const job = jobOf(plane.target)
      const bytes = bytesOf(17 * MIB)
      expect(await sent(job, bytes)).toMatchObject({ sent: { sizeBytes: bytes.length, verified: true, notes: [] } })
      expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
      expect(plane.asked.map(({ action }) => action)).toEqual(['start', 'parts', ...(signsAll ? [] : ['complete'])])
      expect(plane.asked[1]).toMatchObject({ from: 3 })
      expect(await leftovers(ceph())).toEqual([])
    },
  )

  test.for([true, false])('that breaks off leaves nothing, whoever removes it (S3 itself: %s)', async (signsAll) => {
    const plane = await planeOf(inParts(ceph(), { signsAll }))
    const sending = startSending(jobOf(plane.target), QUICK)
    await writeAll(sending, bytesOf(12 * MIB))
    await sending.abort('no more')
    expect(await leftovers(ceph())).toEqual([])
    expect(plane.asked.some(({ action }) => action === 'abort')).toBe(!signsAll)
  })

  test('whose process was killed is removed by the next, who asks the control plane to', async () => {
    const plane = await planeOf(inParts(ceph(), { signsAll: true }))
    const job = jobOf(plane.target)
    const sending = startSending(job, QUICK)
    const id = new Promise<string>((resolve) => sending.onMultipart(async (one) => resolve(one)))
    const stale = { key: job.key, multipartId: await id }
    process.kill(sending.pid!, 'SIGKILL')
    expect(await sending.end()).toMatchObject({ failure: { kind: 'killed' } })
    expect(await leftovers(ceph())).toEqual([stale.multipartId])
    expect(await abortStale(plane.target, [stale], never, QUICK)).toEqual([undefined])
    expect(await leftovers(ceph())).toEqual([])
  })

  test('of more than fits into memory wants parts, and says so', async () => {
    const put = { url: 'http://127.0.0.1:9/nowhere' }
    const plane = await planeOf(() => ({ put }))
    expect(await sent(jobOf(plane.target), bytesOf(64 * MIB + 1))).toMatchObject({
      failure: { kind: 'too-large', permanent: true, message: expect.stringContaining('multipart') as string },
    })
  })

  test('whose URL has expired says that', async () => {
    const command = new PutObjectCommand({ Bucket: ceph().bucket, Key: 'k' })
    const url = await getSignedUrl(ceph().client, command, { expiresIn: 1, signingDate: new Date(Date.now() - 60_000) })
    const plane = await planeOf(() => ({ put: { url } }))
    const result = await sent(jobOf(plane.target), bytesOf(10))
    expect(result).toMatchObject({
      failure: { kind: expect.stringMatching(/credentials-expired|forbidden/) as string },
    })
    expect(JSON.stringify(result)).not.toContain('Signature')
  })

  test.for([
    [
      'refuses',
      { status: 409, body: '{"title":"no","detail":"this node is not known, hush"}' },
      { kind: 'refused-by-control-plane', permanent: true },
      /answered 409: this node is not known, …$/,
    ],
    [
      'is busy',
      { status: 429, headers: { 'retry-after': '120' }, body: '' },
      { kind: 'slow-down', retryAfterMs: 120_000 },
      /429/,
    ],
    ['fails', { status: 502, body: '<html>' }, { kind: 'server-error', permanent: false }, /502/],
    [
      'sends elsewhere',
      { status: 302, headers: { location: 'http://127.0.0.1:9' }, body: '' },
      { kind: 'bad-answer' },
      /redirects are not/,
    ],
    ['answers in HTML', { status: 200, body: '<html>' }, { kind: 'bad-answer' }, /it is not JSON/],
    ['answers nothing of use', {}, { kind: 'bad-answer' }, /one of put, post and multipart/],
    [
      'would have it in the clear',
      { put: { url: 'http://storage.example/x' } },
      { kind: 'bad-answer' },
      /put.url is not a URL of https/,
    ],
    ['has parts too small', { multipart: { id: 'x', partBytes: 1000 } }, { kind: 'bad-answer' }, /multipart.partBytes/],
  ] as const)('that %s', async ([, reply, failure, message]) => {
    const plane = await planeOf(() => reply, secretFile('X-Token: hush\n'))
    const result = await sent(jobOf(plane.target), bytesOf(10))
    expect(result).toMatchObject({ failure })
    expect('failure' in result && result.failure.message).toMatch(message)
  })
})
