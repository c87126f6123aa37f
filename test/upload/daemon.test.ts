/** A daemon that sends bundles to a real object storage: asked for, by itself, and when it must not be. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { describeWithCeph, KEYS, type Ceph } from '../helpers/ceph.ts'
import { ownFolder, startDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { describeWithDocker, sh } from '../helpers/docker.ts'
import { keysOf, leftovers, MIB, objectOf } from '../helpers/upload.ts'
import { ask } from '../record/events/kit.ts'

interface Shown {
  readonly id: number
  readonly state: string
  readonly trigger: string
  readonly reason: string
  readonly key: string
  readonly sizeBytes: number
  readonly nextTry?: string
  readonly lastError?: { readonly kind: string; readonly permanent: boolean }
}

interface Told {
  readonly type: string
  readonly subject: string
  readonly message: string
}

/** Sends what one small collector finds, below a prefix of the test's own. */
function sending(
  ceph: Ceph,
  prefix: string,
  { folder = ownFolder(), more = {}, keys: given = {}, secret = KEYS.secretAccessKey } = {},
) {
  const uploads = {
    target: `s3://${ceph.bucket}/${prefix}/{node}/{date}/{name}`,
    endpoint: ceph.endpoint.href,
    bundle: { only: 'kernel' },
    ...given,
  }
  const keys = { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: secret }
  return startDaemon({ DIAGD_UPLOADS: JSON.stringify(uploads), DIAGD_NODE: 'web-1', ...keys, ...more }, folder)
}

async function json<T>(daemon: TestDaemon, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await daemon.ask(method, path, body)
  expect(answer.status, answer.body.toString()).toBeLessThan(300)
  return answer.json() as T
}

/** Asks until it is so: nothing else tells. */
async function becomes(daemon: TestDaemon, id: number, fits: (upload: Shown) => boolean): Promise<Shown> {
  for (;;) {
    const upload = (await uploadsOf(daemon)).find((one) => one.id === id)
    if (upload && fits(upload)) return upload
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const isThere = ({ state }: Shown) => state === 'uploaded'
const uploadsOf = async (daemon: TestDaemon) => (await json<{ uploads: Shown[] }>(daemon, 'GET', '/uploads')).uploads

async function events(daemon: TestDaemon, type: string): Promise<Told[]> {
  for (;;) {
    const { events: told } = await json<{ events: Told[] }>(daemon, 'GET', `/events?type=${type}`)
    if (told.length > 0) return told
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function metric(daemon: TestDaemon, name: string): Promise<string[]> {
  const text = (await daemon.ask('GET', '/metrics')).body.toString()
  return text.split('\n').filter((line) => line.startsWith(name))
}

const failed = { type: 'provision.docker-install', status: 'failed', message: 'no such package' }

describeWithCeph('a daemon that sends bundles', (ceph) => {
  test('one that is asked for is there, whole, and everybody tells so', async () => {
    const daemon = await sending(ceph(), 'asked')
    const asked = await daemon.ask('POST', '/uploads', { reason: 'login fails' })
    expect([asked.status, asked.headers.location]).toEqual([202, '/uploads/1'])
    const upload = await becomes(daemon, 1, isThere)
    expect(upload).toMatchObject({ trigger: 'request', tries: 1, verified: true, reason: 'login fails (unix socket)' })
    expect(await keysOf(ceph(), 'asked/')).toEqual([upload.key])
    expect(upload.key).toMatch(/^asked\/web-1\/\d{4}-\d\d-\d\d\/debug-web-1-\w+-\w+\.tar\.gz$/)
    const object = await objectOf(ceph(), upload.key)
    expect(object).toHaveLength(upload.sizeBytes)
    const file = join(daemon.folder, 'bundle.tar.gz')
    writeFileSync(file, object)
    expect(await daemon.run('verify', file)).toMatchObject({ code: 0 })
    expect(await events(daemon, 'upload.done')).toMatchObject([{ subject: '1' }])
    expect(await metric(daemon, 'diagd_uploads_total')).toContain('diagd_uploads_total{result="uploaded"} 1')
    const health = await json<{ status: string; uploads: object }>(daemon, 'GET', '/health')
    expect(health).toMatchObject({
      uploads: { state: 'ready', waiting: 0, lastUploaded: expect.any(String) as string },
    })
    expect(await leftovers(ceph())).toEqual([])
  })

  test('the command waits for it, and tells where it is', async () => {
    const daemon = await sending(ceph(), 'command')
    const { code, stdout } = await daemon.run('upload', '--wait', '--reason', 'from a shell')
    const [key] = await keysOf(ceph(), 'command/')
    expect([code, stdout.toString()]).toEqual([0, expect.stringContaining(`upload 1 is there: ${key} (`)])
    expect((await daemon.run('upload', '--list')).stdout.toString()).toContain('from a shell')
  })

  test('a shutdown that somebody tells of is sent as such, and once', async () => {
    const daemon = await sending(ceph(), 'shutdown')
    const shutdown = () => daemon.run('upload', '--trigger', 'shutdown', '--wait', '--timeout', '60s')
    expect(await shutdown()).toMatchObject({ code: 0 })
    const [key] = await keysOf(ceph(), 'shutdown/')
    const head = await ceph().client.send(new HeadObjectCommand({ Bucket: ceph().bucket, Key: key! }))
    expect(head.Metadata).toMatchObject({ trigger: 'shutdown', node: 'web-1' })
    expect(await shutdown()).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing is sent') as string })
    expect(await keysOf(ceph(), 'shutdown/')).toHaveLength(1)
  })

  test('of several things that break one is sent, and a restart does not forget it', async () => {
    const daemon = await sending(ceph(), 'broken')
    await json(daemon, 'POST', '/events', [failed, { ...failed, type: 'provision.network' }])
    await json(daemon, 'POST', '/events', failed)
    await becomes(daemon, 1, isThere)
    expect(await uploadsOf(daemon)).toMatchObject([{ trigger: 'failed-boot', reason: 'no such package' }])
    await daemon.stop()

    const again = await sending(ceph(), 'broken', { folder: daemon.folder })
    await json(again, 'POST', '/events', failed)
    const heldBack = 'diagd_upload_triggers_suppressed_total'
    while ((await metric(again, heldBack)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await metric(again, heldBack)).toEqual([`${heldBack}{trigger="failed-boot",why="debounce"} 1`])
    expect(await uploadsOf(again)).toHaveLength(1)
    expect(await keysOf(ceph(), 'broken/')).toHaveLength(1)
    // What the first had held back was told at its end.
    expect(await events(again, 'upload.held-back')).toMatchObject([{ subject: 'failed-boot' }])
  })

  test('a wrong secret is a clear state, which a failed upload makes no worse', async () => {
    const daemon = await sending(ceph(), 'wrong', { secret: 'n0t-the-secret' })
    const { code, stderr } = await daemon.run('upload', '--wait')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^diagd: upload 1 failed, forbidden: .*tried again at/)])
    const [upload] = await uploadsOf(daemon)
    expect(upload).toMatchObject({ state: 'waiting', lastError: { kind: 'forbidden', permanent: true } })
    const health = await json<{ problems: { key: string; message: string }[] }>(daemon, 'GET', '/health')
    expect(health.problems).toContainEqual({ key: 'uploads', message: expect.stringContaining('forbidden') as string })
    expect(await events(daemon, 'upload.failed')).toHaveLength(1)
    expect(await metric(daemon, 'diagd_upload_tries_failed_total{kind="forbidden"}')).toEqual([
      'diagd_upload_tries_failed_total{kind="forbidden"} 1',
    ])
    expect(await uploadsOf(daemon)).toHaveLength(1)
    expect(JSON.stringify(health)).not.toContain('n0t-the-secret')
  })

  test(
    'killed with its child in the midst of a bundle in parts, it removes what is left of it when it starts, before it tries again',
    { timeout: 180_000 },
    async () => {
      const folder = ownFolder()
      const file = join(folder, 'large.txt')
      writeFileSync(
        file,
        randomBytes(10 * MIB)
          .toString('base64')
          .replaceAll(/.{76}/g, '$&\n'),
      )
      mkdirSync(join(folder, 'config/extras.d'), { recursive: true })
      writeFileSync(join(folder, 'config/extras.d/large.conf'), `${file}\n`)
      // So slow that the first part is on its way when it is killed.
      const more = { DIAGD_CONFIG_DIR: join(folder, 'config') }
      const slow = { bundle: { only: 'extras' }, bandwidth: '64KiB' }
      const daemon = await sending(ceph(), 'killed', { folder, more, keys: slow })
      await json(daemon, 'POST', '/uploads')
      // One that nobody wrote down yet nobody would remove.
      const noted = () =>
        ask<object>(join(folder, 'state/uploads.db'), 'SELECT 1 FROM uploads WHERE multipart_id IS NOT NULL')
      while (noted().length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
      const { pid } = daemon.running.child
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
      for (const one of [pid!, ...children.map(Number)]) process.kill(one, 'SIGKILL')
      await daemon.running.ended
      expect(await leftovers(ceph())).toHaveLength(1)

      const again = await sending(ceph(), 'killed', { folder, more, keys: slow })
      while ((await leftovers(ceph())).length > 0) await new Promise((resolve) => setTimeout(resolve, 50))
      const [upload] = await uploadsOf(again)
      expect(upload).toMatchObject({ state: 'waiting', tries: 1, lastError: { kind: 'killed' } })
      expect(Date.parse(upload!.nextTry!)).toBeGreaterThan(Date.now())
    },
  )

  test('a collector that does not exist is told of at the start', async () => {
    const more = { DIAGD_UPLOADS: JSON.stringify({ target: 's3://bundles', bundle: { only: 'nothing' } }) }
    const daemon = await sending(ceph(), 'none', { more })
    const { problems } = await json<{ problems: { key: string; message: string }[] }>(daemon, 'GET', '/health')
    expect(problems).toContainEqual({ key: 'uploads', message: expect.stringContaining('"nothing" is not') as string })
  })

  describeWithDocker('and follows containers', (docker) => {
    test('sends one for a container that failed, and none for one that was stopped', async () => {
      const more = { DIAGD_CONTAINERS: '{}', DIAGD_ENGINES: docker().socket }
      const daemon = await sending(ceph(), 'container', { more })
      await events(daemon, 'engine.followed')
      const stopped = await docker().start('stopped', { Cmd: sh('sleep 1000') })
      await docker().ask('POST', `/containers/${stopped}/kill`)
      await docker().run('crashed', { Cmd: sh('exit 3') })
      await becomes(daemon, 1, isThere)
      expect(await uploadsOf(daemon)).toMatchObject([
        { trigger: 'container', reason: expect.stringContaining('ended with exit code 3') as string },
      ])
    })
  })
})
