import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import system from '../../collectors/system.ts'
import { described, fixture, testKit, tree } from '../helpers/kit.ts'

const recorded = (name: string) => described(system, testKit({ root: fixture('collectors-1', name) }))

describe('the kind of host', () => {
  test('a VM whose root was a Docker image once is a VM, and the leftover mark is explained', async () => {
    const host = await (await recorded('vm-cgroup-v1')).value('host.json')
    expect(host).toMatchObject({ kind: 'vm' })
    expect(host).toHaveProperty('evidence', [
      expect.objectContaining({ path: '/.dockerenv', kind: 'unknown', says: expect.stringContaining('left over') }),
      expect.objectContaining({ path: '/proc/cpuinfo', kind: 'vm' }),
    ])
  })

  test('firmware of QEMU makes a VM, without the processor flag too', async () => {
    expect(await (await recorded('vm-cgroup-v2')).value('host.json')).toMatchObject({
      kind: 'vm',
      evidence: [{ path: '/sys/class/dmi/id', says: 'QEMU Standard PC (Q35 + ICH9, 2009)' }],
    })
  })

  test('a Pod in gVisor is gVisor first, and the Pod stays among the evidence', async () => {
    const host = await (await recorded('gvisor-pod')).value('host.json')
    expect(host).toMatchObject({ kind: 'gvisor' })
    expect(host).toHaveProperty('evidence', expect.arrayContaining([expect.objectContaining({ kind: 'pod' })]))
  })

  test.each([
    ['gvisor', { '/proc/version': 'Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n' }],
    ['pod', { '/proc/1/cgroup': '4:memory:/kubepods/burstable/pod1234/0123456789ab\n' }],
    ['container', { '/.dockerenv': '' }],
    ['container', { '/run/.containerenv': 'engine="podman-4.3.1"\n' }],
    ['container', { '/run/systemd/container': 'systemd-nspawn\n' }],
    ['container', { '/proc/1/cgroup': '0::/system.slice/docker-0123456789ab.scope\n' }],
    ['vm', { '/sys/hypervisor/type': 'xen\n' }],
    ['vm', { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' }],
    [
      'bare metal',
      {
        '/sys/class/dmi/id/sys_vendor': 'Dell Inc.\n',
        '/sys/class/dmi/id/product_name': 'PowerEdge R640\n',
        '/proc/cpuinfo': 'flags\t\t: fpu vme de\n',
      },
    ],
    // A kernel of 4.4 that people still run.
    ['unknown', { '/proc/version': 'Linux version 4.4.0-21-generic (buildd@lgw01) (gcc 5.3.1) #37-Ubuntu SMP\n' }],
    // systemd's own slice is no container.
    ['unknown', { '/proc/1/cgroup': '0::/init.scope\n', '/proc/4711/cgroup': '0::/system.slice/diagd.service\n' }],
  ])('%s: %o', async (kind, files: Record<string, string>) => {
    const entries = await described(system, testKit({ root: await tree(files) }))
    expect(await entries.value('host.json')).toMatchObject({ kind })
  })
})

describe('cgroups', () => {
  test('v1 beside an unused v2 is hybrid, with the controllers of both', async () => {
    const cgroup = await (await recorded('vm-cgroup-v1')).value('cgroup.json')
    expect(cgroup).toMatchObject({
      version: 'hybrid',
      controllers: expect.arrayContaining(['memory', 'cpu', 'pids', 'hugetlb']),
    })
  })

  test('v1: the limits of our own cgroup and of every one above, nearest first', async () => {
    const { limits } = (await (await recorded('vm-cgroup-v1')).value('cgroup.json')) as { limits: { path: string }[] }
    const memory = limits.filter(({ path }) => path.includes('/memory'))
    expect(memory.map(({ path }) => path)).toEqual([
      '/sys/fs/cgroup/memory/payload/a1',
      '/sys/fs/cgroup/memory/payload',
      '/sys/fs/cgroup/memory',
    ])
    expect(memory[1]).toMatchObject({
      'memory.limit_in_bytes': '536870912',
      'memory.oom_control': { oom_kill: 3 },
    })
  })

  test('v2: version, controllers, own limits', async () => {
    expect(await (await recorded('vm-cgroup-v2')).value('cgroup.json')).toMatchObject({
      version: 'v2',
      controllers: expect.arrayContaining(['memory', 'io']),
      limits: [
        { path: '/sys/fs/cgroup/system.slice/diagd.service', 'pids.max': '4915' },
        { path: '/sys/fs/cgroup/system.slice' },
        { path: '/sys/fs/cgroup' },
      ],
    })
  })

  test('v2: every unit and container has its limit and its OOM kills', async () => {
    const { groups } = (await (await recorded('vm-cgroup-v2')).value('cgroup-units.json')) as { groups: object[] }
    expect(groups).toHaveLength(4)
    expect(groups).toContainEqual(
      expect.objectContaining({
        path: '/sys/fs/cgroup/system.slice/docker-0123456789ab.scope',
        'memory.max': '67108864',
        'memory.events': expect.objectContaining({ oom: 4, oom_kill: 2 }),
      }),
    )
  })

  test('without any cgroup mounted the version is none', async () => {
    expect(await (await recorded('gvisor-pod')).value('cgroup.json')).toMatchObject({ version: 'none', limits: [] })
  })
})

describe('the clock', () => {
  test('is synchronised when timesyncd has said so, with the time of its word', async () => {
    const root = await tree({ '/run/systemd/timesync/synchronized': '', '/proc/uptime': '12.5 20.1\n' })
    const clock = await (await described(system, testKit({ root }))).value('clock.json')
    expect(clock).toMatchObject({
      synchronised: true,
      uptimeSeconds: 12.5,
      evidence: [{ path: '/run/systemd/timesync/synchronized' }],
    })
  })

  test('is not known to be synchronised where only chrony ran, but its drift is shown', async () => {
    const root = await tree({ '/var/lib/chrony/drift': '   -12.345  0.021\n' })
    expect(await (await described(system, testKit({ root }))).value('clock.json')).toMatchObject({
      synchronised: null,
      evidence: [{ path: '/var/lib/chrony/drift', content: '-12.345  0.021' }],
    })
  })
})

describe('sysctl.txt', () => {
  test('has every setting under its sysctl name, also of an interface with a dot in its name', async () => {
    const root = await tree({
      '/proc/sys/vm/swappiness': '60\n',
      '/proc/sys/net/ipv4/conf/eth0.5/rp_filter': '2\n',
      '/proc/sys/kernel/sched_domain': 'a\nb\n',
    })
    const text = await (await described(system, testKit({ root }))).value('sysctl.txt')
    expect(String(text).split('\n').toSorted()).toEqual([
      '',
      'kernel.sched_domain = a | b',
      'net.ipv4.conf.eth0:5.rp_filter = 2',
      'vm.swappiness = 60',
    ])
  })

  test('counts the settings of container interfaces instead of showing them', async () => {
    const root = await tree({
      '/proc/sys/net/ipv4/conf/all/rp_filter': '2\n',
      '/proc/sys/net/ipv4/conf/veth1a2b3c/rp_filter': '2\n',
      '/proc/sys/net/ipv6/neigh/cali123/mcast_solicit': '3\n',
    })
    expect(await (await described(system, testKit({ root }))).value('sysctl.txt')).toBe(
      'net.ipv4.conf.all.rp_filter = 2\n# net: 2 settings of the interfaces of containers and virtual machines are left out\n',
    )
  })

  test('keeps out keys, empty folders, and what a look would change', async () => {
    const root = await tree({
      '/proc/sys/net/ipv6/conf/all/stable_secret': 'fe80::1\n',
      '/proc/sys/net/ipv4/tcp_fastopen_key': '0-1-2-3\n',
      '/proc/sys/vm/stat_refresh': '0\n',
      '/proc/sys/fs/binfmt_misc/status': 'enabled\n',
    })
    await mkdir(join(root, 'proc/sys/fs/empty'))
    expect(await (await described(system, testKit({ root }))).value('sysctl.txt')).toBe(
      '# net.ipv4.tcp_fastopen_key is a key, and not read\n# net.ipv6.conf.all.stable_secret is a key, and not read\n',
    )
  })
})

test('processors are summed up under the names of OpenTelemetry', async () => {
  expect(await (await recorded('vm-cgroup-v1')).value('cpu.json')).toMatchObject({
    'host.cpu.vendor.id': 'AuthenticAMD',
    'system.cpu.logical.count': 2,
  })
})

test('configuration is what exists; links are followed where they lead to configuration, and left out where nowhere', async () => {
  const root = await tree({ '/etc/sysctl.conf': 'vm.swappiness=10\n', '/etc/modprobe.d/dccp.conf': 'blacklist dccp\n' })
  await mkdir(join(root, 'etc/sysctl.d'))
  await symlink('../sysctl.conf', join(root, 'etc/sysctl.d/99-sysctl.conf'))
  await symlink('../nothing', join(root, 'etc/sysctl.d/broken.conf'))
  const { names } = await described(system, testKit({ root }))
  expect(names.filter((name) => name?.startsWith('config/'))).toEqual([
    'config/modprobe.d/dccp.conf',
    'config/sysctl.conf',
    'config/sysctl.d/99-sysctl.conf',
  ])
})
