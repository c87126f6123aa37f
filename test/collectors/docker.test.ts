import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import docker from '../../collectors/docker.ts'
import { describeWithDocker, openRequest, realEngine } from '../helpers/docker.ts'
import { described, recordedEngine, testKit, type KitOptions } from '../helpers/kit.ts'
import { ownFolder } from '../helpers/source.ts'

const collected = (options: Partial<KitOptions> = {}) =>
  described(docker, testKit({ root: '/nonexistent', ...options }))
const asked = { present: [recordedEngine({})], absent: [] }

describeWithDocker('a real engine', (engine) => {
  const entries = () => collected({ engines: { present: [realEngine(engine().socket)], absent: [] } })

  test('tells its version, settings, images, networks and volumes', async () => {
    const { value } = await entries()
    expect(await value('version.json')).toMatchObject({ ApiVersion: expect.any(String) as string })
    expect(await value('info.json')).toMatchObject({ Driver: 'vfs' })
    expect(await value('images.json')).toMatchObject([{ RepoTags: ['busybox:latest'] }])
    expect(await value('networks.json')).toContainEqual(expect.objectContaining({ Name: 'none' }))
    expect(await value('volumes.json')).toMatchObject({ Volumes: [] })
  })

  test('tells what happened lately, and its answer ends', async () => {
    await engine().run('short', { Cmd: ['true'] })
    const { request } = (await entries()).named('events.jsonl')
    const events = (await openRequest(engine().socket, request!)).trim().split('\n')
    const actions = events.map((line) => (JSON.parse(line) as { Action: string }).Action)
    expect(actions).toEqual(expect.arrayContaining(['create', 'start', 'die']))
  })
})

describe('events', () => {
  test('are asked for from the window, up to now at most', async () => {
    const nowMs = Date.now()
    const past = { sinceMs: 1_000_000, untilMs: 2_000_500, reason: 'end of the previous boot' }
    const future = { sinceMs: 3_000_000, untilMs: nowMs + 3_600_000, reason: 'window' }
    const only = await collected({ engines: asked, intervals: [past] })
    expect(only.named('events.jsonl').request).toBe('/events?since=1000.000&until=2000.500&stream=false')
    const both = await collected({ engines: asked, intervals: [future, past] })
    const [, since, until] = /^\/events\?since=([\d.]+)&until=([\d.]+)&stream=false$/.exec(
      both.named('events.jsonl').request!,
    )!
    expect(Number(since)).toBe(1000)
    expect(Number(until)).toBeGreaterThanOrEqual(nowMs / 1000)
    expect(Number(until)).toBeLessThanOrEqual(Date.now() / 1000)
  })
})

describe("an engine's own files", () => {
  test('are gathered wherever they are, also when no engine runs', async () => {
    const root = await hostWith(
      '/etc/docker/daemon.json',
      '/etc/containers/storage.conf',
      '/etc/containers/registries.conf.d/own.conf',
      '/var/log/dockerd.log',
      '/var/log/docker.log.1.gz',
      '/tmp/dockerd.log',
    )
    const { all, names } = await collected({ root })
    expect(names.filter((name) => name?.startsWith('config/'))).toEqual([
      'config/containers/registries.conf.d/own.conf',
      'config/containers/storage.conf',
      'config/docker/daemon.json',
    ])
    const logs = all.filter((entry) => entry.kind === 'logs')
    expect(logs.map(({ name, paths, tier }) => [name, paths?.join(), tier])).toEqual([
      ['logs/tmp/', '/tmp/dockerd.log', 'logs'],
      ['logs/var/log/', '/var/log/docker.log.1.gz', 'logs'],
      ['logs/var/log/', '/var/log/dockerd.log', 'logs'],
    ])
  })

  test('are missed in one sentence where there are none', async () => {
    const { named } = await collected()
    expect(named('config').reason).toMatch(/^none of \/etc\/docker\/daemon\.json, .* exists$/)
  })

  test('include the journal of every unit that is installed, running or not', async () => {
    const root = await hostWith('/lib/systemd/system/docker.service')
    const { all } = await collected({ root })
    const journals = all.filter((entry) => entry.kind === 'journal')
    expect(journals).toMatchObject([
      { name: 'logs/docker.service.log', tier: 'logs', query: { unit: 'docker.service' } },
    ])
  })

  test('come with the reason why the engine was not asked', async () => {
    const { all } = await collected({
      engines: { present: [], absent: [{ socket: '/run/docker.sock', reason: 'stopped' }] },
    })
    expect(all[0]).toMatchObject({ kind: 'skipped', reason: '/run/docker.sock: stopped' })
  })
})

test('each of several engines has a folder of its own', async () => {
  const one = recordedEngine({})
  const { names } = await collected({ engines: { present: [one, { ...one, label: 'podman' }], absent: [] } })
  expect(names).toContain('rootful/version.json')
  expect(names).toContain('podman/version.json')
  expect(names).toContain('podman/events.jsonl')
})

/** A root folder that has these files. */
async function hostWith(...paths: readonly string[]): Promise<string> {
  const root = await ownFolder()
  for (const path of paths) {
    await mkdir(dirname(root + path), { recursive: true })
    await writeFile(root + path, '{}\n')
  }
  return root
}
