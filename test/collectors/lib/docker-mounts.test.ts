import { expect, test } from 'vitest'
import { cgroupMounts, missingControllers, mountOf } from '../../../collectors/lib/docker-mounts.ts'
import { parseMountinfo } from '../../../collectors/lib/storage-mounts.ts'

/** Of a dockerd 20.10 on a machine with v1 controllers and an empty v2 tree. */
const hybrid = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset,clone_children
35 31 0:32 / /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
44 27 254:0 /var/lib/docker /var/lib/docker rw,relatime shared:3 - ext4 /dev/vda rw,discard
`
const inContainer = `1 0 0:50 / / rw,relatime master:9 - overlay overlay rw,lowerdir=/l,upperdir=/u
2 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw,nsdelegate
3 1 0:60 / /var/lib/docker rw - tmpfs tmpfs rw
`

test('a path is on the deepest mount above it, and the newest one there', () => {
  const mounts = parseMountinfo(`${hybrid}50 27 0:70 / /var/lib/docker rw - tmpfs tmpfs rw\n`)
  expect(mountOf('/var/lib/docker', mounts)?.type).toBe('tmpfs')
  expect(mountOf('/var/lib/docker/overlay2', mounts)?.type).toBe('tmpfs')
  expect(mountOf('/var/lib/docker2', mounts)).toMatchObject({ mountPoint: '/', type: 'ext4' })
  expect(mountOf('/', parseMountinfo(inContainer))).toMatchObject({ type: 'overlay', propagation: 'master:9' })
})

test('cgroups v1 beside an empty v2 tree are hybrid; what is read-only is named', () => {
  expect(cgroupMounts(parseMountinfo(hybrid))).toEqual({
    version: 'hybrid',
    controllersV1: ['cpu', 'cpuset', 'memory'],
    unified: '/sys/fs/cgroup/unified',
    readOnly: ['/sys/fs/cgroup/memory'],
  })
})

test('cgroup v2 alone, and no cgroups at all, are told', () => {
  expect(cgroupMounts(parseMountinfo(inContainer))).toMatchObject({ version: 'v2', unified: '/sys/fs/cgroup' })
  expect(cgroupMounts([]).version).toBe('none')
})

test('what is missing depends on the version: v2 has no controller of devices', () => {
  expect(missingControllers('v2', ['cpu', 'memory', 'pids'])).toEqual(['cpuset', 'io'])
  expect(missingControllers('v1', ['cpu', 'cpuacct', 'memory', 'blkio', 'pids', 'cpuset'])).toEqual([
    'devices',
    'freezer',
  ])
})
