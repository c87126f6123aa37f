/** The whole way: the engine makes a bundle, a child takes it to a real bucket, and the row tells what lies there. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { verifyBundle } from '../../../src/archive/verify.ts'
import { collectBundle } from '../../../src/collect/bundle.ts'
import { abortStale, startSending } from '../../../src/upload/send/sending.ts'
import { describeWithCeph, type Ceph } from '../../helpers/ceph.ts'
import { collector, testDeps } from '../../helpers/make-bundle.ts'
import { bytesOf, keysOf, leftovers, MIB, objectOf, QUICK, s3Target } from '../../helpers/upload.ts'
import { ask, stateFolder, until } from '../../record/events/kit.ts'
import { NOON_MS, wish } from '../outbox/kit.ts'
import { benchIn, testTarget } from './kit.ts'

const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url))
const never = new AbortController().signal

const configOf = ({ endpoint }: Ceph) => ({ target: 's3://bundles/', endpoint: endpoint.href, region: 'us-east-1' })

async function benchWith(ceph: Ceph, node: string) {
  const pids: (number | undefined)[] = []
  const held = Promise.withResolvers<void>()
  const deps = testDeps({
    host: collector(async function* ({ text }) {
      yield text('greeting.txt', () => 'hello\n')
    }),
  })
  const bench = benchIn({
    folder: await stateFolder(),
    node,
    config: configOf(ceph),
    target: {
      ...testTarget(),
      start(job) {
        const sending = startSending(job, QUICK)
        pids.push(sending.pid)
        return sending
      },
    },
    async collect({ request, bundleId, sink, signal }) {
      const result = await collectBundle(request, deps, sink, { bundleId, signal })
      if (pids.length === 1) await held.promise
      return result
    },
  })
  return { ...bench, pids, goOn: held.resolve }
}

describeWithCeph('uploads, from the wish to the object', (ceph) => {
  test('what arrived is a whole bundle, and what the row says of it is true', async () => {
    const { uploads, goOn } = await benchWith(ceph(), 'web-1')
    goOn()
    const { id } = await uploads.request(wish('request', { parameters: { only: 'host' } }))
    const record = (await uploads.settled(id, never))!
    expect(record).toMatchObject({ state: 'uploaded', verified: true, outcome: 'whole', tries: 1 })
    const bytes = await objectOf(ceph(), record.key!)
    expect(bytes).toHaveLength(record.sizeBytes!)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(record.sha256)
    expect(await verifyBundle(Readable.from([bytes]))).toMatchObject({ whole: true, bundleId: record.bundleId })
    const head = await ceph().client.send(new HeadObjectCommand({ Bucket: ceph().bucket, Key: record.key }))
    expect(head.Metadata).toMatchObject({ node: 'web-1', trigger: 'request', 'bundle-id': record.bundleId })
  })

  test('a child that is killed is a failed try; the next one brings the bundle under the same key', async () => {
    const { uploads, pids, goOn, clock } = await benchWith(ceph(), 'web-2')
    await uploads.request(wish('unit'))
    await until(() => pids[0] !== undefined)
    process.kill(pids[0]!, 'SIGKILL')
    goOn()
    await until(async () => (await uploads.get(1))!.tries === 1 && (await uploads.get(1))!.state === 'waiting')
    const failed = (await uploads.get(1))!
    expect(failed.lastError).toMatchObject({ permanent: false, kind: 'killed' })
    expect(failed.nextTryMs).toBe(NOON_MS + 30_000)
    clock.advance(30_000)
    expect(await uploads.settled(1, never)).toMatchObject({ state: 'uploaded', tries: 2, key: failed.key })
    expect(await keysOf(ceph(), 'web-2/')).toEqual([failed.key])
  })

  test('a row that gives up leaves nothing at the target', async () => {
    const folder = await stateFolder()
    const config = configOf(ceph())
    const first = benchIn({ folder, config })
    await first.uploads.request(wish('unit', { notBeforeMs: NOON_MS + 1000 }))
    await first.uploads.close()
    const database = new Database(join(folder, 'uploads.db'))
    database.exec('UPDATE uploads SET tries = 49')
    database.close()

    const inParts = Promise.withResolvers<void>()
    const removed = Promise.withResolvers<readonly unknown[]>()
    const bench = benchIn({
      folder,
      config,
      target: {
        ...testTarget(),
        start(job) {
          const sending = startSending(job, QUICK)
          // When its id is kept; the process that could clean up dies.
          const onMultipart: typeof sending.onMultipart = (tell) =>
            sending.onMultipart(async (id) => {
              await tell(id)
              inParts.resolve()
              process.kill(sending.pid!, 'SIGKILL')
            })
          return { ...sending, onMultipart }
        },
        async abortStale(stales, signal) {
          expect(await leftovers(ceph())).toEqual(stales.map(({ multipartId }) => multipartId))
          const failures = await abortStale(s3Target(ceph()), stales, signal, QUICK)
          removed.resolve(failures)
          return failures
        },
      },
      async collect({ sink }) {
        await sink.write(bytesOf(6 * MIB))
        await inParts.promise
        return { outcome: 'whole' }
      },
    })
    bench.clock.advance(1000)
    expect(await bench.uploads.settled(1, never)).toMatchObject({ state: 'gave-up', tries: 50 })
    expect(await removed.promise).toEqual([undefined])
    expect(await leftovers(ceph())).toEqual([])
  })

  test('diagd killed in the midst of an upload in parts: the next start leaves one object, and nothing of the first', async () => {
    const folder = await stateFolder()
    const env = { ...process.env, ...QUICK.environment }
    const run = async (stopAt: string, asked: string) => {
      const child = spawn(process.execPath, [CHILD, folder, stopAt, asked, ceph().endpoint.href], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env,
      })
      child.stdout.setEncoding('utf8').on('data', (said: string) => {
        if (stopAt !== '' && said.includes(`at ${stopAt}\n`)) child.kill('SIGKILL')
      })
      const [code, signal] = await once(child, 'close')
      expect([code, signal]).toEqual(stopAt === '' ? [0, null] : [null, 'SIGKILL'])
    }
    await run('sending', '1')
    const [row] = ask<{ multipart_id: string; state: string }>(join(folder, 'uploads.db'), 'SELECT * FROM uploads')
    expect(row).toMatchObject({ state: 'running', multipart_id: expect.any(String) })
    await run('', '0')
    const [done] = ask<{ state: string; tries: number; key: string; verified: number; size_bytes: number }>(
      join(folder, 'uploads.db'),
      'SELECT * FROM uploads',
    )
    expect(done).toMatchObject({ state: 'uploaded', tries: 2, verified: 1, size_bytes: 12 * 1024 * 1024 + 3 })
    expect(await objectOf(ceph(), done!.key)).toHaveLength(done!.size_bytes)
    expect(await leftovers(ceph())).toEqual([])
  })
})
