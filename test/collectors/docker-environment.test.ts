import { readFileSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import docker from '../../collectors/docker.ts'
import { describeWithDocker, realEngine } from '../helpers/docker.ts'
import { described, fakeCommands, recordedEngine, testKit, tree, type KitOptions } from '../helpers/kit.ts'
import { maskAll } from '../redact/mask-all.ts'

const at = async (options: KitOptions) => {
  const { value, ...rest } = await described(docker, testKit(options))
  return { ...rest, page: async () => String(await value('environment.txt')), value }
}
const warnings = (page: string) => page.split('\n').flatMap((line) => (line.startsWith('! ') ? [line.slice(2)] : []))

describeWithDocker('where a real engine runs', (engine) => {
  test('is told on one page and as JSON: its flags, its data root, what started it', async () => {
    const { value, page } = await at({ root: '', engines: { present: [realEngine(engine().socket)], absent: [] } })
    expect(await value('environment.json')).toMatchObject({
      process: { pid: engine().pid, uid: 0, startedBy: expect.stringMatching(/^pid \d+: /) as string },
      socket: { kind: 'socket', uid: 0, mode: '0660' },
      storage: { driver: 'vfs', inMemory: false, usage: { usedPercent: expect.any(Number) as number } },
      network: { settings: { iptables: 'false', bridge: 'none' } },
      cgroup: { driver: 'cgroupfs', version: expect.stringMatching(/^(v1|v2|hybrid)$/) as string },
    })
    const [, ...flags] = readFileSync(`/proc/${engine().pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    expect(await page()).toContain(flags.join(' '))
    expect(warnings(await page())).toEqual(
      expect.arrayContaining([
        'storage driver vfs: each layer is a whole copy of the one below: slow, and large',
        '--iptables=false: ports are not published by rules, networks not separated',
      ]),
    )
  })
})

const stat = (pid: number, comm: string, ppid: number) => `${pid} (${comm}) S ${ppid} ${'0 '.repeat(20)}\n`

/** A Pod whose `docker` is a script that started the engine, and has ended; the engine's data is in memory. */
const pod = {
  '/proc/1/stat': stat(1, 'agent', 0),
  '/proc/1/cmdline': 'agent\0serve\0',
  '/proc/1/mountinfo': '1 0 0:50 / / rw,relatime master:9 - overlay overlay rw\n',
  '/proc/41/stat': stat(41, 'dockerd', 1),
  '/proc/41/status': 'Uid:\t0\t0\t0\t0\n',
  '/proc/41/cmdline': 'dockerd\0--http-proxy=http://bob:hunter2hunter2@proxy:3128\0',
  '/proc/41/mountinfo': [
    '1 0 0:50 / / rw,relatime master:9 - overlay overlay rw',
    '2 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw',
    '3 1 0:60 / /var/lib/docker rw - tmpfs tmpfs rw',
    '',
  ].join('\n'),
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  '/sys/fs/cgroup/cgroup.subtree_control': 'cpu memory\n',
  '/usr/bin/docker': '#!/bin/sh\ndockerd >/tmp/dockerd.log 2>&1 &\nexec docker.real "$@"\n',
  '/usr/bin/docker.real': 'ELF',
  '/tmp/dockerd.pid': '41\n',
  '/tmp/dockerd.lock': '',
  '/tmp/dockerd.log': [
    'time="2026-11-21T20:27:52.8Z" level=info msg="[core] parsed scheme: \\"unix\\"" module=grpc',
    'time="2026-11-21T20:27:52.9Z" level=info msg="API listen on /var/run/docker.sock"',
    '',
  ].join('\n'),
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
}
const info = {
  ServerVersion: '20.10.24',
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'tmpfs']],
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '2',
  DockerRootDir: '/var/lib/docker',
  HttpProxy: 'http://bob:hunter2hunter2@proxy:3128',
  RegistryConfig: { Mirrors: ['https://mirror.example.com/'], InsecureRegistryCIDRs: ['127.0.0.0/8'] },
  SecurityOptions: ['name=seccomp,profile=default'],
  Warnings: ['WARNING: No swap limit support'],
}
const inPod = async (files: Record<string, string> = {}, answer: object = info) => {
  const root = await tree({ ...pod, ...files })
  const present = [recordedEngine({ '/info': answer })]
  return { root, entries: () => at({ root, host: { systemd: false }, engines: { present, absent: [] } }) }
}

test('a script that starts the engine is told by what it leaves behind, and by its data in memory', async () => {
  const { entries } = await inPod()
  const { page, value } = await entries()
  const text = await page()
  expect(warnings(text)).toEqual([
    'the data root /var/lib/docker is in memory (tmpfs): images take memory, and are gone after a restart',
    expect.stringMatching(/^how full \/var\/lib\/docker is cannot be told: /),
    'cgroup.subtree_control at the top does not hand down cpuset, io, pids',
    '/ of PID 1 is not shared (master:9): mounts that are made later do not reach containers, nor theirs the host',
    'neither nf_tables nor ip_tables is loaded, and the engine was not told --iptables=false',
    'the engine says: WARNING: No swap limit support',
    '/usr/bin/docker is a script that starts the engine: whoever runs it changes this machine; diagd never does',
  ])
  expect(text).toContain('a script that starts the engine when it is needed: /tmp/dockerd.pid names its pid')
  expect(text).toContain('https://mirror.example.com/')
  expect(text).toMatch(
    /LAST LINES OF ITS LOG\n {2}\(\/tmp\/dockerd\.log; without 1 lines about .*\)\n {2}time=.*API listen/,
  )
  expect(await value('environment.json')).toMatchObject({
    lazyStart: { realCommand: '/usr/bin/docker.real', pids: [{ path: '/tmp/dockerd.pid', pid: 41 }] },
    cgroup: { version: 'v2', missing: [] },
    storage: { inMemory: true },
  })
})

test('an engine that did not start says why in its log, and that comes first', async () => {
  const { '/proc/41/stat': _, ...dead } = pod
  const log = `${pod['/tmp/dockerd.log']}failed to start daemon: Devices cgroup isn't mounted\n`
  const absent = [{ socket: '/run/docker.sock', reason: 'no running dockerd was found' }]
  const options = { host: { systemd: false }, engines: { present: [], absent } }
  const { page } = await at({ root: await tree({ ...dead, '/tmp/dockerd.log': log }), ...options })
  expect(warnings(await page())[0]).toBe("the engine did not start, its log says: Devices cgroup isn't mounted")
})

test('of one that runs, what its log says of an earlier start is no warning', async () => {
  const { entries } = await inPod({ '/tmp/dockerd.log': 'failed to start daemon: no space left on device\n' })
  expect(await (await entries()).page()).not.toContain('did not start')
})

test.each([
  ['chose vfs itself', 'dockerd\0', /^overlay on overlay: .* fell back to vfs$/],
  ['was told to take vfs', 'dockerd\0--storage-driver=vfs\0', /is in the file system of a container/],
])('on an overlay, an engine that %s', async (_, cmdline, says) => {
  const files = { '/proc/41/mountinfo': pod['/proc/1/mountinfo'], '/proc/41/cmdline': cmdline }
  const { entries } = await inPod(files, { ...info, Driver: 'vfs' })
  expect(warnings(await (await entries()).page())[0]).toMatch(says)
})

test('overlay on overlay is the first that is said', async () => {
  const { entries } = await inPod({ '/proc/41/mountinfo': pod['/proc/1/mountinfo'] })
  const [first] = warnings(await (await entries()).page())
  expect(first).toMatch(/^overlay on overlay: the data root \/var\/lib\/docker is on an overlay itself/)
})

test('passwords of proxies and tokens of log drivers are masked on their way into the bundle', async () => {
  const settings = {
    proxies: { 'https-proxy': 'http://bob:hunter2hunter2@proxy:3128' },
    'log-opts': { 'splunk-token': 'hunter2hunter2' },
  }
  const { entries } = await inPod({ '/etc/docker/daemon.json': JSON.stringify(settings) })
  const { page, value } = await entries()
  for (const text of [await page(), JSON.stringify(await value('environment.json'), undefined, 2)]) {
    expect(text).toContain('hunter2hunter2')
    expect(maskAll(text)).not.toContain('hunter2hunter2')
    expect(maskAll(text)).toContain('proxy:3128')
  }
})

test('a kernel that gVisor emulates is told as that', async () => {
  const version = 'Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n'
  const { page, value } = await (await inPod({ '/proc/version': version })).entries()
  expect(await page()).toMatch(/^ {2}kernel +Linux version 4\.4\.0 .*: gVisor, which emulates one$/m)
  expect(await value('environment.json')).toMatchObject({ kernel: { isGvisor: true } })
})

test('a socket that everybody may write to is a warning', async () => {
  const { root, entries } = await inPod()
  await mkdir(`${root}/run`)
  const server = createServer().listen(`${root}/run/docker.sock`)
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  await chmod(`${root}/run/docker.sock`, 0o666)
  expect(await (await entries()).page()).toMatch(/^! the socket \/run\/docker\.sock has mode 0666: every user/m)
  await chmod(`${root}/run/docker.sock`, 0o660)
  expect(await (await entries()).page()).not.toContain('! the socket')
})

test('an engine that did not start has a page, too: a daemon.json that is none is named on it', async () => {
  const { '/proc/41/stat': _, ...dead } = pod
  const root = await tree({ ...dead, '/etc/docker/daemon.json': '{"debug": true,}' })
  const absent = [{ socket: '/run/docker.sock', reason: 'no running dockerd was found' }]
  const { page } = await at({ root, host: { systemd: false }, engines: { present: [], absent } })
  const found = warnings(await page())
  expect(found[0]).toBe('the engine was not asked: no running dockerd was found')
  expect(found[1]).toMatch(/^\/etc\/docker\/daemon\.json cannot be used, and the engine does not start with it: /)
  expect(found).toContain('/tmp/dockerd.pid names pid 41, which is not there: the engine it started has ended')
})

test.each(['/usr/sbin/dockerd', '/usr/local/bin/dockerd', '/tmp/dockerd.log', '/var/log/dockerd.log'])(
  'an engine that never ran has a page because of %s',
  async (sign) => {
    const { page } = await at({ root: await tree({ [sign]: '' }), host: { systemd: false } })
    expect(warnings(await page())[0]).toBe('the engine was not asked: it does not exist')
  },
)

test('an engine that does not answer leaves what can be seen without it', async () => {
  const root = await tree(pod)
  const present = [recordedEngine({})]
  const { page } = await at({ root, host: { systemd: false }, engines: { present, absent: [] } })
  expect(warnings(await page())[0]).toBe('the engine was not asked: it did not answer: 404: no such path /info')
  expect(await page()).toContain('--http-proxy=')
})

test("the log of a unit's engine comes from the journal", async () => {
  const root = await tree({ ...pod, '/proc/41/cgroup': '0::/system.slice/docker.service\n' })
  const bin = await fakeCommands({ journalctl: 'echo "journalctl $*"' })
  const present = [recordedEngine({ '/info': info })]
  const { page } = await at({ root, bin, engines: { present, absent: [] } })
  const text = await page()
  expect(text).toContain('started by          systemd unit docker.service\n')
  expect(text).toMatch(/journalctl --quiet --no-pager -o cat -n 5000 -u docker\.service$/m)
})

test("the log of a user's engine is that of their own unit, and never root's of the same name", async () => {
  const bin = await fakeCommands({ journalctl: 'echo "journalctl $*"' })
  const pageOf = async (cgroup: string) => {
    const files = { '/proc/41/status': 'Uid:\t1000\t1000\t1000\t1000\n', '/proc/41/cgroup': `0::${cgroup}\n` }
    const root = await tree({ ...pod, ...files })
    const present = [
      recordedEngine({ '/info': info }, { socket: '/run/user/1000/docker.sock', label: 'rootless-1000' }),
    ]
    return (await at({ root, bin, engines: { present, absent: [] } })).page()
  }
  const text = await pageOf('/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service')
  expect(text).toContain('started by          systemd of user 1000, unit docker.service\n')
  expect(text).toMatch(/journalctl .* -n 5000 _SYSTEMD_OWNER_UID=1000 _SYSTEMD_USER_UNIT=docker\.service$/m)
  expect(await pageOf('/user.slice/user-1000.slice/session-1.scope')).toMatch(
    /LAST LINES OF ITS LOG\n {2}none was found$/m,
  )
})

test('where there is no sign of an engine, one sentence says so', async () => {
  const { named, has } = await at({ root: await tree({ '/etc/passwd': '' }) })
  expect(named('environment.txt').reason).toMatch(/^no engine, and none of .*dockerd/)
  expect(has('environment.json')).toBe(false)
})
