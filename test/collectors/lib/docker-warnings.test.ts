import { expect, test } from 'vitest'
import type { Environment } from '../../../collectors/lib/docker-environment.ts'
import { warningsOf } from '../../../collectors/lib/docker-warnings.ts'

const calm: Environment = {
  engine: { label: 'rootful', kind: 'docker', version: '27.0.1' },
  socket: { path: '/run/docker.sock', kind: 'socket', mode: '0660', uid: 0, user: 'root', gid: 9, group: 'docker' },
  process: undefined,
  rootless: false,
  daemonFile: { path: '/etc/docker/daemon.json', values: {}, setTwice: [] },
  storage: {
    driver: 'overlay2',
    toldDriver: undefined,
    driverStatus: [],
    dataRoot: '/var/lib/docker',
    mount: { point: '/', type: 'ext4', source: '/dev/vda1', options: 'rw' },
    inMemory: false,
    usage: { sizeBytes: 100, availableBytes: 50, usedPercent: 50, inodesUsedPercent: 5 },
  },
  cgroup: { version: 'v2', engineSays: '2', driver: 'systemd', controllers: [], missing: [], readOnly: [] },
  kernel: { version: 'Linux version 6.1.0', isGvisor: false },
  rootPropagation: { of: 'PID 1', mode: 'shared:1', type: 'ext4' },
  network: {
    settings: {},
    legacyTables: [],
    legacyTables6: [],
    command: '/usr/sbin/iptables-nft',
    commandIs: 'nft',
    modules: ['nf_tables'],
    modulesAbsent: [],
    ipv4Forwarding: '1',
  },
  registries: {
    mirrors: [],
    insecure: ['127.0.0.0/8', '::1/128'],
    proxies: { http: null, https: null, exceptFor: null },
  },
  runtime: 'runc',
  loggingDriver: 'json-file',
  lazyStart: { files: [], pids: [] },
  others: [],
  engineWarnings: [],
}
const process = {
  pid: 7,
  uid: 0,
  commandLine: ['dockerd'],
  startedBy: 'systemd unit docker.service',
  ancestors: [],
  cgroup: '/system.slice/docker.service',
  log: 'socket:[1]',
}
const { storage, cgroup, network } = calm
const overlay = { ...storage, mount: { ...storage.mount!, type: 'overlay' } }

test('an engine on a usual machine has none', () => {
  expect(warningsOf(calm)).toEqual([])
  expect(warningsOf({ ...calm, process })).toEqual([])
})

test.each<[string, Partial<Environment>, RegExp]>([
  [
    'flags that daemon.json has too',
    { daemonFile: { ...calm.daemonFile, setTwice: ['host'] } },
    /daemon\.json: host: .*refuses/,
  ],
  ['a log to nowhere', { process: { ...process, log: '/dev/null' } }, /goes to \/dev\/null/],
  [
    'a log that is gone',
    { process: { ...process, log: '/tmp/d.log (deleted)' } },
    /a file that is gone: \/tmp\/d\.log/,
  ],
  ['overlay on overlay', { storage: overlay }, /^overlay on overlay: .* the driver is overlay2/],
  ['data in a container', { storage: { ...overlay, driver: 'fuse-overlayfs' } }, /it is gone with that container/],
  ['data in memory', { storage: { ...storage, inMemory: true } }, /is in memory/],
  ['a full disk', { storage: { ...storage, usage: { ...storage.usage, usedPercent: 90 } } }, /docker is 90 % full/],
  ['no inodes', { storage: { ...storage, usage: { ...storage.usage, inodesUsedPercent: 99 } } }, /99 % of its inodes/],
  ['no cgroups', { cgroup: { ...cgroup, version: 'none' } }, /no cgroups are mounted/],
  ['missing controllers', { cgroup: { ...cgroup, missing: ['memory'] } }, /cgroup v2 without memory/],
  ['controllers that end at the top', { cgroup: { ...cgroup, notHandedDown: ['cpu'] } }, /does not hand down cpu/],
  ['cgroups that cannot be written', { cgroup: { ...cgroup, readOnly: ['/sys/fs/cgroup'] } }, /read-only: \/sys\/fs/],
  ['a driver of no cgroups', { cgroup: { ...cgroup, driver: 'none' } }, /cgroup driver none/],
  [
    'mounts that stay private',
    { rootPropagation: { of: 'PID 1', mode: 'private', type: 'ext4' } },
    /is not shared \(private\)/,
  ],
  ['no rules', { network: { ...network, settings: { iptables: 'false' } } }, /^--iptables=false/],
  ['no bridge', { network: { ...network, settings: { bridge: 'none' } } }, /^--bridge=none/],
  ['two kinds of rules', { network: { ...network, legacyTables: ['nat'] } }, /legacy tables too \(nat\)/],
  ['no module for rules', { process, network: { ...network, modules: [] } }, /neither nf_tables nor ip_tables/],
  ['no forwarding', { network: { ...network, ipv4Forwarding: '0' } }, /ip_forward is 0/],
  [
    'what the engine says',
    { engineWarnings: ['WARNING: No swap limit support'] },
    /^the engine says: WARNING: No swap/,
  ],
  ['registries without TLS', { registries: { ...calm.registries, insecure: ['r:5000', '127.0.0.0/8'] } }, /: r:5000$/],
])('%s are a warning', (_, odd, expected) => {
  expect(warningsOf({ ...calm, ...odd })).toEqual([expect.stringMatching(expected)])
})

test('a rootless engine has cgroups that it may not write to: that is no news', () => {
  const readOnly = { ...cgroup, readOnly: ['/sys/fs/cgroup'] }
  expect(warningsOf({ ...calm, rootless: true, cgroup: readOnly })).toEqual([])
})
