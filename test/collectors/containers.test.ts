import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import containers from '../../collectors/containers.ts'
import type { AbsentEngine, Engine, KeptContainer } from '../../src/collector.ts'
import { describeWithDocker, openRequest, realEngine, sh } from '../helpers/docker.ts'
import { described, fakeCommands, recordedEngine, testKit } from '../helpers/kit.ts'

const collected = (
  present: readonly Engine[],
  absent: readonly AbsentEngine[] = [],
  kept: readonly KeptContainer[] = [],
) => described(containers, testKit({ root: '/nonexistent', engines: { present, absent }, kept }))

/** As diagd keeps it. */
const keptOf = (name: string, more: Partial<KeptContainer> = {}): KeptContainer => ({
  id: name.padEnd(64, '0'),
  name,
  image: 'busybox',
  engine: 'rootful',
  state: 'exited',
  createdMs: Date.UTC(2026, 0, 1),
  folder: `/var/lib/diagd/containers/rootful/${name}`,
  log: { lines: 12, diskBytes: 4096, dropped: { flood: 0, cap: 0, withheld: 0 }, ambiguous: 0 },
  ...more,
})

/** An engine that knows only the list of its containers. */
const listing = (list: readonly object[], options: Partial<Engine> = {}) =>
  recordedEngine({ '/containers/json?all=1': list }, options)

const container = (name: string, State: string, rest: object = {}) => ({
  Id: name.padEnd(64, '0'),
  Names: [`/${name}`],
  State,
  Status: '',
  Created: 1,
  ...rest,
})

describeWithDocker('the containers of a real engine', (docker) => {
  const ids: Record<string, string> = {}
  beforeAll(async () => {
    ids['runs'] = await docker().start('runs', { Cmd: sh('echo alive; exec sleep 1000') })
    ids['failed'] = await docker().run('failed', { Cmd: sh('echo why >&2; exit 3'), HostConfig: { Memory: 64 << 20 } })
    ids['done'] = await docker().run('done', { Cmd: ['true'] })
    ids['new'] = await docker().create('new', { Cmd: ['true'] })
    ids['paused'] = await docker().start('paused', { Cmd: ['sleep', '1000'] })
    await docker().ask('POST', '/containers/paused/pause')
  })
  const entries = () => collected([realEngine(docker().socket)])
  const entry = (name: string, file: string) => `${name}-${ids[name]!.slice(0, 12)}/${file}`

  test('are all described, those in trouble first', async () => {
    const { names } = await entries()
    expect(names.filter((name) => name?.endsWith('/state.json'))).toEqual(
      ['failed', 'done', 'paused', 'new', 'runs'].map((name) => entry(name, 'state.json')),
    )
  })

  test('come first of all while they restart again and again', async () => {
    const HostConfig = { RestartPolicy: { Name: 'always' } }
    const id = await docker().start('loops', { Cmd: sh('exit 1'), HostConfig })
    onTestFinished(async () => void (await docker().ask('DELETE', `/containers/${id}?force=1`)))
    const restarting = await vi.waitFor(async () => {
      const now = await entries()
      expect(await now.value('list.json')).toContainEqual(expect.objectContaining({ Id: id, State: 'restarting' }))
      return now
    })
    expect(restarting.names.slice(0, 2)).toEqual(['list.json', `loops-${id.slice(0, 12)}/state.json`])
  })

  test('have configuration, state and log each; processes only where there are any', async () => {
    const { names, named } = await entries()
    const files = (name: string) => names.flatMap((path) => (path?.startsWith(`${name}-`) ? path.split('/')[1] : []))
    expect(files('failed')).toEqual(['state.json', 'inspect.json', 'log.log'])
    expect(files('runs')).toEqual(['state.json', 'inspect.json', 'top.txt', 'log.log'])
    expect(files('paused')).toContain('top.txt')
    expect(named(entry('runs', 'log.log')).tier).toBe('logs')
    expect(named(entry('runs', 'state.json')).tier).toBeUndefined()
  })

  test('tell how they ended and within which limits they ran', async () => {
    const { value } = await entries()
    expect(await value(entry('failed', 'state.json'))).toMatchObject({
      Name: '/failed',
      Image: 'busybox',
      Status: expect.stringMatching(/^Exited \(3\)/) as string,
      State: { Status: 'exited', ExitCode: 3, OOMKilled: false },
      Limits: { MemoryBytes: 64 << 20 },
    })
    expect(await value(entry('failed', 'inspect.json'))).toMatchObject({ Id: ids['failed'], Path: 'sh' })
    expect(await value('list.json')).toHaveLength(5)
  })

  test('show their processes as a table', async () => {
    const { value } = await entries()
    const [titles, first] = String(await value(entry('runs', 'top.txt'))).split('\n')
    expect(titles).toMatch(/^UID +PID +PPID .*CMD$/)
    expect(first).toMatch(/^root .* sleep 1000$/)
  })

  test('have logs, also the dead', async () => {
    const { named } = await entries()
    const { request } = named(entry('failed', 'log.log'))
    expect(await openRequest(docker().socket, request!)).toMatch(/Z stderr F why\n$/)
  })

  test('are read without ever running a docker command', async () => {
    const folder = await fakeCommands({
      docker: 'touch "$(dirname "$0")/was-run"',
      podman: 'touch "$(dirname "$0")/was-run"',
    })
    const path = process.env['PATH']
    process.env['PATH'] = `${folder}:${path}`
    try {
      const { all, commands } = await entries()
      for (const { make } of all) await make?.()
      expect(commands).toEqual([])
      await expect(access(join(folder, 'was-run'))).rejects.toThrow('ENOENT')
    } finally {
      process.env['PATH'] = path
    }
  })
})

describe('containers', () => {
  test('of several engines have a folder for each engine', async () => {
    const one = listing([container('web', 'running')])
    const { names } = await collected([one, { ...one, label: 'podman-1000' }])
    expect(names).toContain('rootful/list.json')
    expect(names).toContain('rootful/web-web000000000/log.log')
    expect(names).toContain('podman-1000/list.json')
  })

  test('beyond the first 500 are counted, not described', async () => {
    const many = Array.from({ length: 503 }, (_, i) => container(`c${i}`, 'running', { Created: i }))
    const { names, named } = await collected([listing([...many, container('dead', 'exited')])])
    expect(names.filter((name) => name?.endsWith('log.log'))).toHaveLength(500)
    expect(names).toContain('dead-dead00000000/log.log')
    expect(names).not.toContain('c3-c30000000000/log.log')
    expect(named('more').reason).toBe('4 healthy or older containers beyond 500 are in list.json only')
  })

  test('with links, odd names or none have a safe folder', async () => {
    const { names } = await collected([
      listing([
        container('a', 'running', { Names: ['/web/alias', '/a'] }),
        container('b', 'exited', { Names: ['/../etc\n'] }),
        container('c', 'dead', { Names: null }),
      ]),
    ])
    const folders = names.flatMap((name) =>
      name?.endsWith('state.json') ? name.split('/').slice(0, -1).join('/') : [],
    )
    expect(folders).toEqual(['unnamed-c00000000000', '.._etc_-b00000000000', 'a-a00000000000'])
  })

  test('of podman show their processes without a command run inside of them', async () => {
    const top = `/containers/${'web'.padEnd(64, '0')}/top?stream=false&ps_args=pid,ppid,user,state,pcpu,etime,time,args`
    const list = [container('web', 'running')]
    const answer = { Titles: ['PID', 'COMMAND'], Processes: [['1', 'sleep 60']] }
    const engine = recordedEngine({ '/containers/json?all=1': list, [top]: answer }, { kind: 'podman' })
    expect(await (await collected([engine])).value('web-web000000000/top.txt')).toBe('PID COMMAND\n1   sleep 60\n')
  })

  test('that answer nothing cost their own entries, not their log', async () => {
    const entries = await collected([listing([container('stuck', 'running')])])
    await expect(entries.value('stuck-stuck0000000/inspect.json')).rejects.toThrow('404')
    await expect(entries.value('stuck-stuck0000000/state.json')).rejects.toThrow('404')
    expect(entries.named('stuck-stuck0000000/log.log').request).toBe(`logs ${'stuck'.padEnd(64, '0')}`)
  })

  test('of an engine that refuses leave its reason in place of the list', async () => {
    const entries = await collected([recordedEngine({})])
    expect(entries.names).toEqual(['list.json'])
    await expect(entries.value('list.json')).rejects.toThrow('404')
  })

  test('of an engine that was not asked are skipped with the reason', async () => {
    const { all } = await collected([], [{ socket: '/run/docker.sock', reason: 'it is stopped' }])
    expect(all).toMatchObject([{ kind: 'skipped', name: 'run_docker.sock', reason: '/run/docker.sock: it is stopped' }])
  })

  test('are skipped where there is no engine at all', async () => {
    const { all } = await collected([])
    expect(all).toMatchObject([{ kind: 'skipped', reason: 'no socket of a container engine was found' }])
  })
})

describe('what was kept of containers', () => {
  const removed = { state: 'removed', exitCode: 137, oomKilled: true, removedMs: Date.UTC(2026, 0, 2) } as const

  test('that were removed stands beside the others, marked and with times, the dead first', async () => {
    const { names, value, named } = await collected(
      [listing([container('runs', 'running')])],
      [],
      [keptOf('gone', removed)],
    )
    expect(names).toEqual([
      'list.json',
      ...['state.json', 'inspect.json', 'log.log'].map((file) => `gone-gone00000000/${file}`),
      ...['state.json', 'inspect.json', 'top.txt', 'log.log'].map((file) => `runs-runs00000000/${file}`),
    ])
    expect(await value('gone-gone00000000/state.json')).toMatchObject({
      state: 'removed',
      createdAt: '2026-01-01T00:00:00.000Z',
      removedAt: '2026-01-02T00:00:00.000Z',
      exitCode: 137,
      oomKilled: true,
      log: { lines: 12, dropped: { flood: 0 } },
    })
    expect(named('gone-gone00000000/log.log').request).toBe(`kept ${'gone'.padEnd(64, '0')}`)
    expect(named('gone-gone00000000/log.log').tier).toBe('logs')
  })

  test('that exist joins their logs, and tells what diagd alone knows', async () => {
    const engine = recordedEngine({
      '/containers/json?all=1': [container('web', 'exited')],
      [`/containers/${'web'.padEnd(64, '0')}/json`]: { Name: '/web', State: { Status: 'exited' } },
    })
    const { named, value } = await collected([engine], [], [keptOf('web', { signal: 'KILL' })])
    expect(named('web-web000000000/log.log').request).toBe(`kept ${'web'.padEnd(64, '0')} /run/docker.sock`)
    expect(await value('web-web000000000/state.json')).toMatchObject({
      Name: '/web',
      State: { Status: 'exited' },
      kept: { state: 'exited', signal: 'KILL', log: { lines: 12 } },
    })
  })

  test('of an engine that does not answer any more is there, and the reason, too', async () => {
    const absent = [{ socket: '/run/docker.sock', reason: 'it is stopped' }]
    const { names, value } = await collected([], absent, [keptOf('web')])
    expect(names).toEqual([
      'run_docker.sock',
      ...['state', 'inspect'].map((file) => `web-web000000000/${file}.json`),
      'web-web000000000/log.log',
    ])
    expect(await value('web-web000000000/state.json')).toMatchObject({ state: 'exited' })
    const refused = await collected([recordedEngine({})], [], [keptOf('web')])
    expect(refused.names).toContain('web-web000000000/log.log')
  })

  test('of several engines has a folder for each', async () => {
    const kept = [keptOf('web', removed), keptOf('old', { ...removed, engine: 'podman' })]
    const { names } = await collected([listing([])], [], kept)
    expect(names).toContain('web-web000000000/log.log')
    expect(names).toContain('podman/old-old000000000/log.log')
    const both = await collected([listing([]), listing([], { label: 'podman' })], [], kept)
    expect(both.names).toContain('rootful/web-web000000000/log.log')
    expect(both.names).toContain('podman/old-old000000000/log.log')
  })

  test('of very many that are gone pushes out none that exists, and names what is left out', async () => {
    const gone = Array.from({ length: 300 }, (_, index) =>
      keptOf(`gone${String(index).padStart(3, '0')}`, { ...removed, removedMs: index * 1000 }),
    )
    const live = Array.from({ length: 500 }, (_, index) => container(`c${index}`, 'running'))
    const { names, named } = await collected([listing(live)], [], gone)
    expect(names.filter((name) => name?.startsWith('c') && name.endsWith('log.log'))).toHaveLength(500)
    expect(names.filter((name) => name?.startsWith('gone') && name.endsWith('log.log'))).toHaveLength(250)
    expect(names).toContain('gone299-gone29900000/log.log')
    expect(named('more-removed').reason).toMatch(
      /^50 removed containers beyond 250 are left out: gone049-gone04900000, /,
    )
  })

  test('that cannot be read costs nothing but itself', async () => {
    const kit = testKit({
      root: '/nonexistent',
      engines: { present: [listing([container('web', 'running')])], absent: [] },
    })
    const broken = { ...kit.containers, kept: () => Promise.reject(new Error('the disk hangs')) }
    const { names, named } = await described(containers, { ...kit, containers: broken })
    expect(named('kept').reason).toContain('the disk hangs')
    expect(names).toContain('web-web000000000/log.log')
  })
})
