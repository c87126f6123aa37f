import { execFileSync } from 'node:child_process'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSampler } from '../../../../src/record/metrics/sampler.ts'
import { deadFuse } from '../../../helpers/dead-fuse.ts'
import { hostOf, NEVER, readingOf, rowOf, rowsOf, stats, treeOf } from './machine.ts'

const ROOT = '1 0 8:1 / / rw - ext4 /dev/sda1 rw'

describe('mounts', () => {
  test('show size, use and inodes', () => {
    const [row] = rowsOf(read([ROOT]), 'mount')
    expect(row?.labels).toEqual({ mountpoint: '/', device: '/dev/sda1', fstype: 'ext4' })
    expect(row?.values).toEqual({
      size_bytes: 1000 * 4096,
      used_bytes: 400 * 4096,
      free_bytes: 600 * 4096,
      available_bytes: 500 * 4096,
      reserved_bytes: 100 * 4096,
      inodes: 100,
      inodes_free: 70,
      readonly: 0,
      device_error: 0,
    })
  })

  test.each(['nfs4', 'cifs', 'fuse.sshfs', '9p', 'ceph', 'virtiofs'])(
    'of type %s are never asked, and say so',
    (type) => {
      const asked: string[] = []
      const reading = read([ROOT, `2 1 0:50 / /mnt rw - ${type} server:/x rw`], (path) => {
        asked.push(path)
        return stats
      })
      expect(asked.map((path) => path.slice(-1))).toEqual(['/'])
      expect(rowOf(reading, 'mount', '/mnt')).toEqual({
        subject: 'mount',
        labels: { mountpoint: '/mnt', device: 'server:/x', fstype: type },
        values: {},
        problem: `a mount of type ${type} is not asked: it may never answer`,
      })
    },
  )

  test('of what the machine itself lives on are asked, whatever it is', () => {
    expect(rowsOf(read(['1 0 0:20 / / rw - virtiofs root rw']), 'mount')[0]?.values.size_bytes).toBe(4_096_000)
  })

  test('of one file system are one, at the shortest path', () => {
    const bind = '2 1 8:1 /srv/data /very/long/path rw - ext4 /dev/sda1 rw'
    const again = '3 1 8:2 /a /data/a rw - xfs /dev/sdb rw'
    const reading = read([ROOT, bind, again, '4 1 8:2 / /data rw - xfs /dev/sdb rw'])
    expect(rowsOf(reading, 'mount').map(({ labels }) => labels.mountpoint)).toEqual(['/', '/data'])
  })

  test('that another one covers are not shown under its name', () => {
    const reading = read([ROOT, '2 1 8:2 / /data rw - xfs /dev/sdb rw', '3 1 8:3 / /data rw - xfs /dev/sdc rw'])
    expect(rowsOf(reading, 'mount').map(({ labels }) => labels.device)).toEqual(['/dev/sda1', '/dev/sdc'])
  })

  test.each([
    '2 1 0:5 / /proc rw - proc proc rw',
    '2 1 0:5 / /dev rw - devtmpfs udev rw',
    '2 1 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro',
    '2 1 0:5 / /mnt rw - autofs systemd-1 rw',
    '2 1 0:41 / /var/lib/docker/overlay2/0b32/merged rw - overlay overlay rw',
    '2 1 0:41 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs rw - overlay overlay rw',
    '2 1 0:42 / /var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/token rw - tmpfs tmpfs rw',
    '2 1 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
    '2 1 0:42 / /run/credentials/systemd-sysctl.service ro - ramfs ramfs rw',
  ])('that hold no space of their own are left out: %s', (line) => {
    expect(rowsOf(read([ROOT, line]), 'mount').map(({ labels }) => labels.mountpoint)).toEqual(['/'])
  })

  test('without blocks are left out, as df does', () => {
    const reading = read([ROOT, '2 1 0:5 / /mnt rw - tmpfs x rw'], (path) => ({
      ...stats,
      blocks: path.endsWith('/mnt') ? 0 : 9,
    }))
    expect(rowsOf(reading, 'mount')).toHaveLength(1)
  })

  test('without inodes say nothing of them', () => {
    const values = rowsOf(
      read([ROOT], () => ({ ...stats, files: 0, ffree: 0 })),
      'mount',
    )[0]?.values
    expect(values).not.toHaveProperty('inodes')
    expect(values).not.toHaveProperty('inodes_free')
  })

  test('that turned read-only by themselves are told as such', () => {
    const reading = read(['1 0 8:1 / / rw,relatime - ext4 /dev/sda1 ro,errors=remount-ro'])
    expect(rowsOf(reading, 'mount')[0]?.values.readonly).toBe(1)
  })

  test('that fail cost their own row', () => {
    const fail = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    const reading = read([ROOT, '2 1 8:2 / /data rw - xfs /dev/sdb rw'], (path) => {
      if (path.endsWith('/data')) throw fail
      return stats
    })
    expect(rowOf(reading, 'mount', '/')?.values.size_bytes).toBe(4_096_000)
    expect(rowOf(reading, 'mount', '/data')).toMatchObject({ values: { device_error: 1 }, problem: 'statfs: EIO' })
  })

  test('that are hidden from diagd do not show what lies in their place', () => {
    const init = [ROOT, '2 1 0:30 / /tmp rw - tmpfs tmpfs rw', '3 1 8:2 / /home rw - ext4 /dev/sdb rw']
    const self = [ROOT, '2 1 0:99 / /tmp rw - tmpfs private rw']
    const reading = read(init, undefined, self)
    expect(rowsOf(reading, 'mount').map(({ labels, problem }) => [labels.mountpoint, problem])).toEqual([
      ['/', undefined],
      ['/tmp', 'it is hidden from diagd'],
      ['/home', 'it is hidden from diagd'],
    ])
  })

  test('of more than 64 the rest is counted', () => {
    const lines = Array.from({ length: 70 }, (_, at) => `${at} 1 9:${at} / /m${at} rw - ext4 /dev/d${at} rw`)
    const reading = read([ROOT, ...lines])
    expect(rowsOf(reading, 'mount')).toHaveLength(64)
    expect(hostOf(reading).values.left_out_mount_count).toBe(7)
  })

  test('of this machine: what df says', () => {
    const facts = execFileSync('df', ['--block-size=1', '--output=size,itotal', '/'], { encoding: 'utf8' })
    const [size, inodes] = facts.split('\n')[1]!.trim().split(/ +/).map(Number)
    const { reading } = createSampler({ intervalMs: 10_000, pressure: NEVER }).sample()
    expect(rowOf(reading, 'mount', '/')?.values).toMatchObject({ size_bytes: size, inodes })
  })

  test('of this machine: one that never answers holds nobody', async ({ skip }) => {
    const fuse = await deadFuse()
    if (fuse === undefined) return skip('no FUSE here')
    onTestFinished(() => fuse.stop())
    const { reading } = createSampler({ intervalMs: 10_000, pressure: NEVER }).sample()
    expect(rowOf(reading, 'mount', fuse.path)?.problem).toBe('a mount of type fuse is not asked: it may never answer')
    expect(rowOf(reading, 'mount', '/')?.values.size_bytes).toBeGreaterThan(0)
  })
})

function read(init: readonly string[], statfs = (_path: string) => stats, self: readonly string[] = init) {
  const files = { 'proc/1/mountinfo': init, 'proc/self/mountinfo': self }
  const texts = Object.entries(files).map(([path, lines]) => [path, `${lines.join('\n')}\n`])
  return readingOf(treeOf(Object.fromEntries(texts) as Record<string, string>), { statfs })
}
