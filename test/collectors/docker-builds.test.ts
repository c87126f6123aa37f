import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import docker from '../../collectors/docker.ts'
import type { RecordedEvent } from '../../src/collector.ts'
import { describeWithDocker, realEngine } from '../helpers/docker.ts'
import { described, fixture, recordedEngine, testKit, tree, type KitOptions } from '../helpers/kit.ts'

describeWithDocker('what a real engine built', (engine) => {
  test('is told with its history, caches first; its build cache only if it can be asked for alone', async () => {
    await engine().ask('POST', '/images/busybox/tag?repo=ghcr.io/owner/app&tag=devcontainer-cache-gpu')
    const { value } = await described(
      docker,
      testKit({ root: '/nonexistent', engines: { present: [realEngine(engine().socket)], absent: [] } }),
    )
    expect(await value('builds.txt')).toMatch(/^\S+Z +\S+ MiB +cache +[\da-f]{12} .*app:devcontainer-cache-gpu/m)
    expect(await value('image-history.json')).toMatchObject({
      images: [{ sizeBytes: expect.any(Number) as number, history: [{ comment: 'Imported from -' }] }],
      leftOut: 0,
    })
    const { ApiVersion } = (await engine().ask('GET', '/version')) as { ApiVersion: string }
    expect(await value('build-cache.json')).toMatchObject({ asked: Number(ApiVersion.split('.')[1]) >= 42 })
  })
})

const cache = {
  Id: 'sha256:aaaaaaaaaaaaaaaa',
  RepoTags: ['ghcr.io/o/r:devcontainer-cache'],
  Size: 1 << 30,
  Created: 10,
}
const newest = { Id: 'sha256:bbbbbbbbbbbbbbbb', RepoTags: ['app:1'], Size: 5, Created: 30 }
const workspace = { Id: 'sha256:cccc', RepoTags: null, Labels: { 'devcontainer.metadata': '[]' }, Created: 20 }
const images = { '/images/json': [newest, workspace, cache] }

const collected = (answers: Record<string, unknown>, options: Partial<KitOptions> = {}) =>
  described(
    docker,
    testKit({
      root: '/nonexistent',
      host: { systemd: false },
      engines: { present: [recordedEngine(answers)], absent: [] },
      ...options,
    }),
  )
const page = async (log: string, options: Partial<KitOptions> = {}) => {
  const root = await tree({ '/var/log/dockerd.log': log })
  return String(await (await collected(images, { root, ...options })).value('builds.txt'))
}
const logged = (name: string) => readFileSync(fixture('docker', name), 'utf8')

describe('pulls and pushes', () => {
  test('that were denied are the first that is said, with image, attempts and duration', async () => {
    const text = await page(logged('denied-pushes-debug.log'))
    expect(text.split('\n').filter((line) => line.startsWith('! '))).toEqual([
      '! push 127.0.0.1:5000/denied/app:devcontainer-cache was denied after 5 attempts in 53.5 s, 2026-11-21T20:30:36.891Z: denied',
      '! push 127.0.0.1:5000/auth/app:devcontainer-cache-gpu was denied after 5 attempts in 50.1 s, 2026-11-21T20:31:27.036Z: unauthorized',
    ])
    expect(text).toMatch(
      /20:29:42\.709Z +0\.6 s +pull +127\.0\.0\.1:5000\/ok\/app:devcontainer-cache +manifest unknown$/m,
    )
  })

  test('are without their names in a log without debug, and the page says so', async () => {
    const text = await page(logged('denied-pushes.log'))
    expect(text).toMatch(/^! push of an image that a log without debug does not name was denied after 5 attempts/m)
    expect(text).toMatch(/> 53\.5 s +push +not named +5 +denied$/m)
  })

  test('that worked take until the engine told so', async () => {
    const began =
      'time="2026-11-21T20:00:00Z" level=debug msg="Calling POST /v1.41/images/create?fromImage=busybox&tag=1"\n'
    const at = (minute: number, type: string): RecordedEvent => ({
      id: minute,
      timeMs: Date.UTC(2026, 10, 21, 20, minute),
      bootId: '',
      source: 'container',
      type,
      level: 'info',
      subject: 'busybox',
      message: '',
      detail: { id: 'busybox:1' },
    })
    const events = [at(9, 'image.pull'), at(2, 'image.pull'), at(1, 'image.push')]
    const text = await page(began, { events })
    expect(text).toMatch(/20:00:00\.000Z +120\.0 s +pull +busybox:1$/m)
    expect(text).toMatch(/^2026-11-21T20:09:00\.000Z +image\.pull +busybox:1$/m)
    expect(await page(began)).toMatch(/20:00:00\.000Z +not told +pull +busybox:1$/m)
  })

  test('without any log are not known, and the page says why nothing was recorded', async () => {
    const text = String(await (await collected(images)).value('builds.txt'))
    expect(text).toContain('(no log was found)')
    expect(text).toContain('not known: nothing is recorded')
  })
})

test('images stand in the order of their use: caches, devcontainers, the newest', async () => {
  const text = String(await (await collected(images)).value('builds.txt'))
  const rows = text.slice(text.indexOf('IMAGES\n')).split('\n').slice(2, 5)
  expect(rows.map((row) => row.split(/ {2,}/).slice(2))).toEqual([
    ['cache', 'aaaaaaaaaaaa', 'ghcr.io/o/r:devcontainer-cache'],
    ['devcontainer', 'cccc', 'no tag'],
    ['bbbbbbbbbbbb', 'app:1'],
  ])
})

test('a history that is refused costs that image only; those beyond forty are counted', async () => {
  const many = Array.from({ length: 41 }, (_, at) => ({ Id: `sha256:${at}`, Created: 100 + at }))
  const { value } = await collected({ '/images/json': [...many, cache], '/images/sha256:40/history': [] })
  const { images, leftOut } = (await value('image-history.json')) as { images: object[]; leftOut: number }
  expect(images.slice(0, 2)).toMatchObject([
    { tags: ['ghcr.io/o/r:devcontainer-cache'], problem: expect.stringContaining('404') as string },
    { id: 'sha256:40', history: [] },
  ])
  expect([images.length, leftOut]).toEqual([40, 2])
})

describe('the build cache', () => {
  const use = (Size: number, rest: object = {}) => ({ Size, LastUsedAt: '2026-01-01T00:00:00Z', ...rest })
  const BuildCache = [use(5, { InUse: true }), use(7, { Shared: true }), use(9, { LastUsedAt: '2026-01-02T00:00:00Z' })]

  test('is added up, and what pruning would free', async () => {
    const { value, named } = await collected({
      '/version': { ApiVersion: '1.47' },
      '/system/df?type=build-cache': { BuildCache },
    })
    expect(named('build-cache.json').tier).toBe('bulk')
    expect(await value('build-cache.json')).toMatchObject({
      asked: true,
      entries: 3,
      sizeBytes: 21,
      reclaimableBytes: 9,
      newest: [{ Size: 9 }, { Size: 5 }, { Size: 7 }],
    })
  })

  test('is not asked of an engine that would walk over its whole disk for it', async () => {
    const { value } = await collected({ '/version': { ApiVersion: '1.41' } })
    expect(await value('build-cache.json')).toEqual({
      asked: false,
      why: 'API 1.41 cannot be asked for the build cache alone: the collector docker-usage asks for all',
    })
  })
})
