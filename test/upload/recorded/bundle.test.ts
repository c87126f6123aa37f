/** What a bundle tells of uploads: one that fails, one that arrived, of a daemon and beside it. */
import { expect, test } from 'vitest'
import { extract } from '../../helpers/archive.ts'
import { describeWithCeph, KEYS } from '../../helpers/ceph.ts'
import { startDaemon, type TestDaemon } from '../../helpers/daemon.ts'
import { answerOf, openFaultProxy } from '../../helpers/fault-proxy.ts'
import { objectOf } from '../../helpers/upload.ts'

interface Told {
  readonly uploads: unknown
  readonly row: { readonly outcome: string; readonly detail?: string }
  readonly result: string
}

function toldIn(archive: Buffer): Told {
  const files = new Map([...extract(archive)].map(([path, bytes]) => [path.slice(path.indexOf('/') + 1), bytes]))
  const manifest = JSON.parse(files.get('manifest.json')!.toString()) as {
    readonly result: string
    readonly rows: readonly (Told['row'] & { readonly path: string })[]
  }
  const text = files.get('diagd/uploads.json')?.toString()
  const row = manifest.rows.find(({ path }) => path === 'diagd/uploads.json')!
  return { uploads: text && (JSON.parse(text) as { uploads: unknown }).uploads, row, result: manifest.result }
}

async function downloaded(daemon: TestDaemon): Promise<Told> {
  return toldIn((await daemon.ask('GET', '/debug-package?only=diagd')).body)
}

async function collected(daemon: TestDaemon): Promise<Told> {
  return toldIn((await daemon.run('collect', '--only', 'diagd', '-o', '-')).stdout)
}

describeWithCeph('a bundle of a machine that uploads', (ceph) => {
  test('tells what failed, why and when it is tried again, and what arrived; with the daemon, beside it and without', async () => {
    const body = '<Error><Code>AccessDenied</Code><Message>not this one</Message></Error>'
    let refused: string | undefined
    const proxy = await openFaultProxy(ceph().port, (request) => {
      const [method, path] = request.split(/[ ?]/)
      if (method === 'PUT') refused ??= path
      return path === refused ? { kind: 'answer', text: answerOf('403 Forbidden', {}, body) } : undefined
    })
    const uploads = {
      target: `s3://${ceph().bucket}/told/{name}`,
      endpoint: proxy.endpoint.href,
      bundle: { only: 'kernel' },
    }
    const daemon = await startDaemon({
      DIAGD_UPLOADS: JSON.stringify(uploads),
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    })
    expect(await daemon.run('upload', '--wait', '--reason', 'login with password=hunter2-of-the-test')).toMatchObject({
      code: 1,
    })
    expect([0, 3]).toContain((await daemon.run('upload', '--wait')).code)
    const told = await downloaded(daemon)
    expect(told.row).toMatchObject({ outcome: 'ok' })
    expect(told.uploads).toMatchObject([
      { id: 2, state: 'uploaded', tries: 1, verified: true, sizeBytes: expect.any(Number) as number },
      {
        id: 1,
        state: 'waiting',
        trigger: 'request',
        reason: expect.stringMatching(/^login with password=<masked:/) as string,
        nextTry: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        lastError: {
          kind: 'forbidden',
          permanent: true,
          message: expect.stringContaining('403 AccessDenied') as string,
        },
      },
    ])
    const beside = await collected(daemon)
    expect(beside.uploads).toMatchObject([
      { id: 2, state: 'uploaded' },
      { id: 1, lastError: { kind: 'forbidden' } },
    ])
    await daemon.stop()
    const without = await collected(daemon)
    expect(without.uploads).toMatchObject([
      { id: 2, state: 'uploaded' },
      { id: 1, lastError: { kind: 'forbidden' } },
    ])
    expect(JSON.stringify([told, beside, without])).not.toMatch(/hunter2|the-secret-of-the-test/)
  })

  test('is in it itself while it is sent', async () => {
    const uploads = {
      target: `s3://${ceph().bucket}/itself/{name}`,
      endpoint: ceph().endpoint.href,
      bundle: { only: 'diagd' },
    }
    const daemon = await startDaemon({
      DIAGD_UPLOADS: JSON.stringify(uploads),
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    })
    expect([0, 3]).toContain((await daemon.run('upload', '--wait')).code)
    const { key } = (await daemon.ask('GET', '/uploads/1')).json() as { key: string }
    const { uploads: told } = toldIn(await objectOf(ceph(), key))
    expect(told).toMatchObject([{ id: 1, state: 'running', tries: 1, key }])
  })
})

test('a machine that uploads nothing says so, and nothing is missing', async () => {
  const daemon = await startDaemon()
  const said = {
    uploads: undefined,
    row: { outcome: 'skipped', detail: 'nothing is uploaded: the configuration says uploads: none' },
  }
  expect(await downloaded(daemon)).toMatchObject(said)
  expect(await collected(daemon)).toMatchObject(said)
  await daemon.stop()
  expect(await collected(daemon)).toMatchObject(said)
})
