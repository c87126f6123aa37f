import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GetObjectTaggingCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { abortStale, startSending } from '../../src/upload/send/sending.ts'
import { describeWithCeph, KEYS } from '../helpers/ceph.ts'
import { answerOf, openFaultProxy } from '../helpers/fault-proxy.ts'
import {
  bytesOf,
  jobOf,
  keysOf,
  leftovers,
  MIB,
  objectOf,
  QUICK,
  s3Target,
  secretFile,
  sent,
  writeAll,
} from '../helpers/upload.ts'

const never = new AbortController().signal

describeWithCeph('an upload to a bucket', (ceph) => {
  test('what is less than a part goes as one, with its type, metadata and tags', async () => {
    const bytes = bytesOf(300_000)
    const target = s3Target(ceph(), { tags: { team: 'a b & c' } })
    const job = jobOf(target, { metadata: { node: 'web-1', 'boot-id': 'b1' } })
    const sending = startSending(job, QUICK)
    await writeAll(sending, bytes)
    const result = await sending.end('partial')
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(result).toEqual({ sent: { key: job.key, sizeBytes: bytes.length, sha256, verified: true, notes: [] } })
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
    const object = { Bucket: ceph().bucket, Key: job.key }
    const head = await ceph().client.send(new HeadObjectCommand(object))
    expect(head.ContentType).toBe('application/gzip')
    expect(head.Metadata).toEqual({ node: 'web-1', 'boot-id': 'b1', outcome: 'partial' })
    const { TagSet } = await ceph().client.send(new GetObjectTaggingCommand(object))
    expect(TagSet).toEqual([{ Key: 'team', Value: 'a b & c' }])
  })

  test('what is more goes in parts, and is the same there, byte for byte', async () => {
    const bytes = bytesOf(17 * MIB + 12_345)
    const job = jobOf(s3Target(ceph()))
    const sending = startSending(job, QUICK)
    const told: string[] = []
    sending.onMultipart(async (id) => void told.push(id))
    await writeAll(sending, bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(await sending.end()).toMatchObject({ sent: { sizeBytes: bytes.length, sha256, verified: true } })
    expect(told).toHaveLength(1)
    expect(sending.sentBytes).toBe(bytes.length)
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
    expect(await leftovers(ceph())).toEqual([])
  })

  test.for([
    ['as one', 300_000, /^PUT /],
    ['in parts', 6 * MIB, /^POST .*\?uploads/],
  ] as const)(
    'what goes %s asks for the encryption, the key and the storage class that are configured',
    async ([, length, first]) => {
      const begun = '<InitiateMultipartUploadResult><UploadId>of-the-test</UploadId></InitiateMultipartUploadResult>'
      const done = '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>'
      // Answered here: Ceph has neither keys nor classes without being told of them.
      const proxy = await openFaultProxy(ceph().port, (request) => {
        if (request.startsWith('HEAD'))
          return { kind: 'answer', text: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n' }
        const body = request.startsWith('PUT') ? '' : request.includes('?uploads') ? begun : done
        return { kind: 'answer', text: answerOf('200 OK', { etag: '"part"' }, body) }
      })
      const more = {
        endpoint: proxy.endpoint,
        encryption: 'aws:kms',
        kmsKey: 'key-1',
        storageClass: 'STANDARD_IA',
      } as const
      expect(await sent(jobOf(s3Target(ceph(), more)), bytesOf(length))).toMatchObject({ sent: { sizeBytes: length } })
      const asked = proxy.requests.flatMap((request, at) => (first.test(request) ? [proxy.headers[at]!] : []))
      expect(asked).toHaveLength(1)
      expect(asked[0]).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
        'x-amz-storage-class': 'STANDARD_IA',
      })
      // What is not signed, somebody on the way could take away.
      expect(asked[0]!['authorization']).toMatch(
        /SignedHeaders=[^,]*;x-amz-server-side-encryption;[^,]*;x-amz-storage-class/,
      )
    },
  )

  test('nothing is asked for that is not configured: the bucket decides', async () => {
    const proxy = await openFaultProxy(ceph().port)
    const result = await sent(jobOf(s3Target(ceph(), { endpoint: proxy.endpoint })), bytesOf(1000))
    expect(result).toMatchObject({ sent: { verified: true } })
    const names = Object.keys(proxy.headers[proxy.requests.findIndex((request) => request.startsWith('PUT'))]!)
    expect(names).toContain('x-amz-content-sha256')
    expect(names.filter((name) => /encryption|storage-class|tagging|checksum/.test(name))).toEqual([])
  })

  test('exactly one part, and nothing at all, go as one', async () => {
    for (const length of [5 * MIB, 0]) {
      const job = jobOf(s3Target(ceph()))
      expect(await sent(job, bytesOf(length))).toMatchObject({ sent: { sizeBytes: length, verified: true } })
      expect(await objectOf(ceph(), job.key)).toHaveLength(length)
    }
  })

  test('no part is sent before its id is kept; what cannot be kept is not sent, and removed', async () => {
    const job = jobOf(s3Target(ceph()))
    const sending = startSending(job, QUICK)
    sending.onMultipart(() => Promise.reject(new Error('the disk is full')))
    await writeAll(sending, bytesOf(12 * MIB)).catch(() => {})
    expect(await sending.end()).toMatchObject({
      failure: { kind: 'internal', message: expect.stringContaining('the disk is full') as string },
    })
    expect(sending.sentBytes).toBe(0)
    expect(await leftovers(ceph())).toEqual([])
    expect(await keysOf(ceph(), job.key)).toEqual([])
  })

  test('a bundle that breaks off leaves nothing', async () => {
    const job = jobOf(s3Target(ceph()))
    const sending = startSending(job, QUICK)
    await writeAll(sending, bytesOf(16 * MIB))
    await sending.abort('the machine is shut down')
    expect(await sending.end()).toMatchObject({
      failure: { kind: 'bundle-failed', message: 'the machine is shut down' },
    })
    expect(await leftovers(ceph())).toEqual([])
    expect(await keysOf(ceph(), job.key)).toEqual([])
  })

  test('what a killed try left is removed by the next, or by itself', async () => {
    const job = jobOf(s3Target(ceph()))
    const left = async () => {
      const sending = startSending(job, QUICK)
      const id = new Promise<string>((resolve) => sending.onMultipart(async (one) => resolve(one)))
      await writeAll(sending, bytesOf(6 * MIB))
      const stale = { key: job.key, multipartId: await id }
      process.kill(sending.pid!, 'SIGKILL')
      expect(await sending.end()).toMatchObject({ failure: { kind: 'killed', permanent: false } })
      expect(await leftovers(ceph())).toEqual([stale.multipartId])
      return stale
    }
    const stale = await left()
    expect(await sent({ ...job, stale }, bytesOf(1000))).toMatchObject({ sent: { verified: true } })
    expect(await leftovers(ceph())).toEqual([])
    const other = await left()
    const gone = { ...other, key: `${other.key}.not-there` }
    // One that is not there any more is fine.
    expect(await abortStale(job.target, [gone, other], never, QUICK)).toEqual([undefined, undefined])
    expect(await leftovers(ceph())).toEqual([])
  })

  test('what cannot be removed is told for each; who goes away waits for nothing', async () => {
    const stales = ['a', 'b'].map((key) => ({ key, multipartId: '2~nothing' }))
    const wrong = { environment: { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' } }
    const refused = await abortStale(s3Target(ceph()), stales, never, { ...QUICK, ...wrong })
    expect(refused.map((failure) => failure?.kind)).toEqual(['forbidden', 'forbidden'])
    const nobody = s3Target(ceph(), { endpoint: new URL('http://127.0.0.1:9') })
    const unreachable = await abortStale(nobody, stales, never, QUICK)
    expect(unreachable.map((failure) => failure?.kind)).toEqual(['unreachable', 'unreachable'])
    const killed = await abortStale(s3Target(ceph()), stales, AbortSignal.abort(), QUICK)
    expect(killed.map((failure) => failure?.kind)).toEqual(['killed', 'killed'])
  })

  test('only so many bundles of this node are kept, and nothing else is touched', async () => {
    const node = 'keep-1'
    const nameOf = (day: number) => `debug-${node}-2026110${day}T000000Z-00000${day}.tar.gz`
    const keyOf = (day: number) => `r/${node}/2026-11-0${day}/${nameOf(day)}`
    const target = s3Target(ceph(), { key: 'r/{node}/{date}/{name}' })
    const others = [`r/${node}/2026-11-01/notes.txt`, `r/${node}-b/2026-11-01/${nameOf(1)}`, `r/${node}/${nameOf(1)}`]
    for (const key of [...others, keyOf(1), keyOf(3)]) await sent(jobOf(target, { key }), bytesOf(10))
    const last = await sent(jobOf(target, { key: keyOf(2), retention: { node, maxBundles: 2 } }), bytesOf(10))
    expect(last).toMatchObject({ sent: { verified: true, notes: ['1 of the oldest bundles deleted at the target'] } })
    expect((await keysOf(ceph(), 'r/')).sort()).toEqual([...others, keyOf(2), keyOf(3)].sort())
  })

  test('the process that uploads knows nothing of our environment, not even the credentials', async () => {
    vi.stubEnv('SOMETHING_OF_OURS', 'hush')
    onTestFinished(() => void vi.unstubAllEnvs())
    const sending = startSending(jobOf(s3Target(ceph())), QUICK)
    const kept = new Promise<void>((resolve) => sending.onMultipart(async () => resolve()))
    await writeAll(sending, bytesOf(6 * MIB))
    await kept
    const environment = readFileSync(`/proc/${sending.pid}/environ`, 'latin1')
    const names = environment.split('\0').map((line) => line.split('=')[0])
    // The channel, too, is named there, by Node.js.
    const own = [
      'HOME',
      'LC_ALL',
      'MALLOC_ARENA_MAX',
      'NODE_CHANNEL_FD',
      'NODE_CHANNEL_SERIALIZATION_MODE',
      'PATH',
      'TZ',
    ]
    expect(new Set(names)).toEqual(new Set([...own, '']))
    expect(environment).not.toContain(KEYS.secretAccessKey)
    await sending.abort('that is all')
  })

  test('credentials of a file', async () => {
    const target = s3Target(ceph(), { credentials: { from: 'file', path: secretFile(KEYS) } })
    expect(await sent(jobOf(target), bytesOf(1000), { limits: QUICK.limits! })).toMatchObject({ sent: {} })
  })

  test('a cap of the bandwidth slows down and changes nothing', async () => {
    const bytes = bytesOf(200_000)
    const job = jobOf(s3Target(ceph()), { bandwidthBytesPerSecond: MIB })
    expect(await sent(job, bytes)).toMatchObject({ sent: { sizeBytes: bytes.length } })
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
  })
})
