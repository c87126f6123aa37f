/** Containers are followed, and the disk that should keep them never answers: everything else goes on. */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { extract } from '../helpers/archive.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'
import { fakeEngine } from '../helpers/fake-engine.ts'

const dead = process.geteuid?.() === 0 ? await deadFuse() : undefined
afterAll(() => dead?.stop())

// Everybody who waits for the disk gives up after seconds.
describe.runIf(dead)('a state folder that never answers', { timeout: 180_000 }, () => {
  test('holds neither GET /containers nor bundles nor the end, while an engine is to be followed', async () => {
    const engine = await fakeEngine({ web: [{ atMs: 1, stream: 1, text: 'hello\n' }] })
    const daemon = await startDaemon({
      STATE_DIRECTORY: join(dead!.path, 'state'),
      DIAGD_CONTAINERS: '{}',
      DIAGD_ENGINES: engine.socket,
    })
    const listed = await Promise.all([1, 2, 3, 4, 5, 6].map(() => daemon.ask('GET', '/containers')))
    for (const { status, body } of listed)
      expect([status, body.toString()]).toEqual([503, expect.stringContaining('no answer within')])
    expect((await daemon.ask('GET', '/containers?limit=0')).json()).toMatchObject({ state: 'following' })
    const { body } = await daemon.ask('GET', '/debug-package?only=system&limits=stall=1s')
    const [, manifest] = [...extract(body)].find(([path]) => path.endsWith('/manifest.json'))!
    expect(JSON.parse(manifest.toString())).toMatchObject({ complete: true })
    // Its threads wait for the disk, and only that ends them.
    daemon.running.child.kill('SIGTERM')
    await daemon.running.says(/diagd stopped/)
    daemon.running.child.kill('SIGKILL')
    await daemon.running.ended
  })
})
