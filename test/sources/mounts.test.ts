import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { MountTable, parseMountinfo } from '../../src/sources/mounts.ts'

async function fixture(name: string): Promise<MountTable> {
  const url = new URL(`../fixtures/mountinfo/${name}.txt`, import.meta.url)
  return new MountTable(parseMountinfo(await readFile(url)))
}

test('a path is on the mount whose point is its nearest folder', async () => {
  const mounts = await fixture('host')
  expect(mounts.at('/var/log/syslog')?.mountPoint).toBe('/')
  expect(mounts.at('/proc/1/status')?.type).toBe('proc')
  expect(mounts.at('/sys/fs/cgroup/memory/memory.stat')?.type).toBe('cgroup')
  expect(mounts.at('/procfs')?.mountPoint).toBe('/')
})

test.each([
  ['/net', 'autofs'],
  ['/net/server', 'autofs'],
  ['/srv/nfs share/x', 'nfs4'],
  ['/home/anna/cloud/notes', 'fuse.sshfs'],
  ['/media/a\\b\nc/file', 'cifs'],
])('%j is on a dangerous mount of type %s', async (path, type) => {
  const mounts = await fixture('host')
  expect(mounts.dangerous(path)?.type).toBe(type)
})

test.each(['/', '/var/log', '/proc/1', '/sys/fs/fuse/connections/40', '/home/anna', '/srv/nfs share/local/x'])(
  '%j itself is not on a dangerous mount',
  async (path) => {
    const mounts = await fixture('host')
    expect(mounts.dangerous(path)).toBeUndefined()
  },
)

test('what is mounted over an automount point counts, not the automount below', async () => {
  const mounts = await fixture('host')
  expect(mounts.at('/boot/efi/EFI')?.type).toBe('vfat')
  expect(mounts.dangerous('/boot/efi/EFI')).toBeUndefined()
})

test('the root, and bind mounts of what the root lives on, are trusted whatever their type', async () => {
  const mounts = await fixture('root-on-fuse')
  expect(mounts.dangerous('/etc/hosts')).toBeUndefined()
  expect(mounts.dangerous('/data/x')).toBeUndefined()
  expect(mounts.dangerous('/remote/x')?.type).toBe('fuse.sshfs')
})

test('views of the kernel are told from stored files', async () => {
  const mounts = await fixture('host')
  expect(mounts.isView('/proc/meminfo')).toBe(true)
  expect(mounts.isView('/sys/fs/cgroup/cpu/cpu.stat')).toBe(true)
  expect(mounts.isView('/dev/shm/x')).toBe(false)
  expect(mounts.isView('/etc/hosts')).toBe(false)
})

test('a path in a recorded tree is looked up where the tree lies', () => {
  const mounts = parseMountinfo(Buffer.from('1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / /tree/mnt rw - nfs a:/ rw\n'))
  expect(new MountTable(mounts, '/tree').dangerous('/mnt/x')?.type).toBe('nfs')
  expect(new MountTable(mounts, '').dangerous('/mnt/x')).toBeUndefined()
})

test('lines that are no mounts are left out', () => {
  expect(parseMountinfo(Buffer.from('\ngarbage\n1 2 3 - \n'))).toEqual([])
})

test('tells what is mounted, from where, and how', () => {
  const line = '36 35 98:0 /mnt1\\0402 /mnt/a\\040b rw,noatime master:1 - ext3 /dev/root\\011x ro,errors=continue\n'
  expect(parseMountinfo(Buffer.from(line))).toEqual([
    {
      device: '98:0',
      type: 'ext3',
      mountPoint: '/mnt/a b',
      root: '/mnt1 2',
      source: '/dev/root\tx',
      options: ['rw', 'noatime'],
      fileSystemOptions: ['ro', 'errors=continue'],
    },
  ])
})
