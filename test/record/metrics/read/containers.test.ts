import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { addTo, hostOf, readingOf, recorded, rowOf, rowsOf, samplerOf, treeOf } from './machine.ts'

const MiB = 1024 * 1024

describe('a container', () => {
  test('with control groups of version 1', () => {
    const reading = readingOf(recorded('cgroup-v1'), {
      containerName: (id) => (id === '2c64777db3c0' ? 'web' : undefined),
    })
    const web = rowOf(reading, 'container', '2c64777db3c0')
    expect(web?.labels).toEqual({
      id: '2c64777db3c0',
      cgroup: '/docker/2c64777db3c0bd24e267a1f5a07a830e5fa93a704bf5b2fc7424cf9c38ac82ba',
      name: 'web',
    })
    expect(web?.values).toMatchObject({
      cpu_limit: 0.3,
      cpu_throttled_periods: expect.toSatisfy((value: number) => value > 80),
      memory_limit_bytes: 64 * MiB,
      memory_failures: expect.toSatisfy((value: number) => value > 100),
      oom_kills: 1,
      threads: 2,
      threads_limit: 50,
    })
    const db = rowOf(reading, 'container', 'c47f8cc70164')
    expect(db?.labels).not.toHaveProperty('name')
    for (const limit of ['cpu_limit', 'memory_limit_bytes', 'threads_limit'])
      expect(db?.values).not.toHaveProperty(limit)
    // This kernel counts what goes to disks only where somebody set a limit, and 0 would not be true.
    expect(db?.values).not.toHaveProperty('read_bytes')
  })

  test('with control groups of version 2', () => {
    const reading = readingOf(recorded('cgroup-v2'))
    expect(rowsOf(reading, 'container')).toHaveLength(2)
    const web = rowOf(reading, 'container', '55977324c334')
    expect(web?.labels.cgroup).toMatch(/^\/system\.slice\/docker-55977324c334[0-9a-f]{52}\.scope$/)
    expect(web?.values).toMatchObject({
      cpu_limit: 0.3,
      memory_limit_bytes: 64 * MiB,
      memory_failures: 83,
      oom_kills: 1,
      threads_limit: 50,
      read_bytes: 8192,
      written_bytes: 12 * MiB,
      reads: 2,
      writes: 14,
      memory_swap_bytes: 0,
    })
    const { cpu_seconds = 0, cpu_user_seconds = 0, cpu_system_seconds = 0, pressure_memory_full_seconds } = web!.values
    expect(cpu_user_seconds + cpu_system_seconds).toBeCloseTo(cpu_seconds, 4)
    expect(pressure_memory_full_seconds).toBeGreaterThan(0)
    const { memory_usage_bytes = 0, memory_working_set_bytes = 0 } = web!.values
    expect(memory_working_set_bytes).toBeLessThanOrEqual(memory_usage_bytes)
    expect(rowOf(reading, 'container', '4515afc37bdc')?.values).not.toHaveProperty('memory_limit_bytes')
  })

  test('is gone with its last process, though its control group may still be there', () => {
    const sampler = samplerOf(unified({ 7: `/docker/${ID_A}` }))
    expect(rowsOf(sampler.sample().reading, 'container')).toHaveLength(1)
    rmSync(join(lastRoot, 'proc/7'), { recursive: true })
    expect(rowsOf(sampler.sample().reading, 'container')).toEqual([])
  })

  test('whose control group is gone is left out, though its process was still listed', () => {
    const root = unified({ 7: `/docker/${ID_A}` })
    rmSync(join(root, 'sys'), { recursive: true })
    expect(rowsOf(readingOf(root), 'container')).toEqual([])
  })

  test('is found for a process that was still on its way into it', () => {
    const root = unified({ 7: '/system.slice/containerd.service', 8: `/docker/${ID_A}` })
    rmSync(join(root, 'proc/8'), { recursive: true })
    const sampler = samplerOf(root)
    expect(rowsOf(sampler.sample().reading, 'container')).toEqual([])
    addTo(root, { 'proc/7/cgroup': `0::/docker/${ID_A}\n` })
    expect(rowsOf(sampler.sample().reading, 'container')).toHaveLength(1)
  })

  test('is not that of another process that has got the number of one in it', () => {
    const root = unified({ 7: `/docker/${ID_A}` })
    const sampler = samplerOf(root)
    const containers = () => rowsOf(sampler.sample().reading, 'container').length
    expect([containers(), containers(), containers()]).toEqual([1, 1, 1])
    addTo(root, {
      'proc/7/stat': '7 (x) S 1 1 1 0 0 0 0 0 0 0 1 1 0 0 20 0 1 0 9999 0 10\n',
      'proc/7/cgroup': '0::/user.slice\n',
    })
    expect(containers()).toBe(0)
  })

  test.each([
    ['1', '31 21 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n', '4:memory', 'memory.max_usage_in_bytes'],
    ['2', '31 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n', '0:', 'memory.peak'],
  ])('has a peak of its memory, and so many processes: version %s', (_, mountinfo, line, file) => {
    const root = unified({ 7: `/docker/${ID_A}`, 8: `/docker/${ID_A}/below`, 9: '/user.slice' })
    const group = `sys/fs/cgroup/docker/${ID_A}`
    addTo(root, {
      'proc/self/mountinfo': mountinfo,
      'proc/7/cgroup': `${line}:/docker/${ID_A}\n`,
      'proc/8/cgroup': `${line}:/docker/${ID_A}/below\n`,
      [`${group}/${file}`]: '4096\n',
    })
    expect(rowsOf(readingOf(root), 'container')).toMatchObject([{ values: { memory_peak_bytes: 4096, processes: 2 } }])
  })

  test('that is limited right after it was seen first shows that in the next sample', () => {
    const root = unified({ 7: `/docker/${ID_A}` })
    const sampler = samplerOf(root)
    const limits = () => rowsOf(sampler.sample().reading, 'container')[0]?.values.memory_limit_bytes
    expect(limits()).toBe(1024)
    addTo(root, { [`sys/fs/cgroup/docker/${ID_A}/memory.max`]: '512\n' })
    expect(limits()).toBe(512)
  })

  test('whose limits are changed shows the new ones within some samples', () => {
    const root = unified({ 7: `/docker/${ID_A}` })
    const sampler = samplerOf(root)
    const limits = () => rowsOf(sampler.sample().reading, 'container')[0]?.values.memory_limit_bytes
    expect(limits()).toBe(1024)
    addTo(root, { [`sys/fs/cgroup/docker/${ID_A}/memory.max`]: '2048\n' })
    expect(Array.from({ length: 6 }, limits).at(-1)).toBe(2048)
  })
})

const ID_A = 'a1'.repeat(32)
const ID_B = 'b2'.repeat(32)

describe('control groups of containers', () => {
  test.each([
    ['docker, cgroupfs', `/docker/${ID_A}`],
    ['docker, systemd', `/system.slice/docker-${ID_A}.scope`],
    ['docker without root', `/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID_A}.scope`],
    ['podman', `/machine.slice/libpod-${ID_A}.scope`],
    ['podman, cgroupfs', `/libpod_parent/libpod-${ID_A}`],
    ['podman, a group below', `/machine.slice/libpod-${ID_A}.scope/container`],
    [
      'containerd of Kubernetes',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-${ID_A}.scope`,
    ],
    ['CRI-O', `/kubepods.slice/kubepods-pod1_2.slice/crio-${ID_A}.scope`],
    ['Kubernetes, cgroupfs', `/kubepods/besteffort/pod0a1b2c3d-0000-0000-0000-000000000000/${ID_A}`],
    ['systemd inside of a container', `/docker/${ID_A}/system.slice/nginx.service`],
  ])('%s', (_, path) => {
    const [row, ...others] = rowsOf(readingOf(unified({ 7: path })), 'container')
    expect(others).toEqual([])
    expect(row?.labels.id).toBe('a1a1a1a1a1a1')
    expect(row?.labels.cgroup).toBe(path.slice(0, path.indexOf(ID_A) + 64) + (path.includes('.scope') ? '.scope' : ''))
  })

  test.each([
    `/machine.slice/libpod-conmon-${ID_A}.scope`,
    `/system.slice/crio-conmon-${ID_A}.scope`,
    '/system.slice/docker.service',
    `/system.slice/not-64-digits-${ID_A.slice(1)}.scope`,
    '/',
  ])('none: %s', (path) => {
    expect(rowsOf(readingOf(unified({ 7: path })), 'container')).toEqual([])
  })

  test('a container in a container is two', () => {
    const reading = readingOf(unified({ 7: `/docker/${ID_A}`, 8: `/docker/${ID_A}/docker/${ID_B}` }))
    expect(rowsOf(reading, 'container').map(({ labels }) => labels.id)).toEqual(['a1a1a1a1a1a1', 'b2b2b2b2b2b2'])
  })

  test('seen from inside a container, whose tree begins at its own group', () => {
    const root = unified({ 7: `/docker/${ID_A}` })
    addTo(root, {
      'proc/self/mountinfo': `31 21 0:26 /docker/${ID_A} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`,
      'sys/fs/cgroup/memory.current': '77\n',
    })
    expect(rowsOf(readingOf(root), 'container')[0]?.values.memory_usage_bytes).toBe(77)
  })

  test('of more than 128 the rest is counted', () => {
    const paths = Array.from({ length: 130 }, (_, at) => [at + 10, `/docker/${String(at).padStart(64, '0')}`])
    const different = paths.map(([pid, path]) => [pid, String(path).replace(/0{61}(\d{3})$/, '$1' + 'a'.repeat(61))])
    const reading = readingOf(unified(Object.fromEntries(different) as Record<number, string>))
    expect(rowsOf(reading, 'container')).toHaveLength(128)
    expect(hostOf(reading).values.left_out_container_count).toBe(2)
  })
})

test('what goes through a device-mapper device is not counted twice', () => {
  const root = unified({ 7: `/docker/${ID_A}` })
  addTo(root, {
    'proc/devices':
      'Character devices:\n253 watchdog\n\nBlock devices:\n  7 loop\n  9 md\n252 device-mapper\n254 virtblk\n',
    [`sys/fs/cgroup/docker/${ID_A}/io.stat`]:
      '252:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n',
  })
  expect(rowsOf(readingOf(root), 'container')[0]?.values).toMatchObject({ read_bytes: 10, written_bytes: 20, reads: 1 })
})

let lastRoot = ''

/** A machine with a tree of version 2 and these processes in it. */
function unified(processes: Readonly<Record<number, string>>): string {
  const files = Object.entries(processes).flatMap(([pid, path]) => [
    [`proc/${pid}/stat`, `${pid} (x) S 1 1 1 0 0 0 0 0 0 0 1 1 0 0 20 0 1 0 ${pid} 0 10\n`],
    [`proc/${pid}/cgroup`, `0::${path}\n`],
  ])
  const groups = [...new Set(Object.values(processes).flatMap(groupsOf))].flatMap((group) => [
    [`sys/fs/cgroup${group}/memory.current`, '512\n'],
    [`sys/fs/cgroup${group}/memory.max`, '1024\n'],
  ])
  lastRoot = treeOf({
    'proc/self/mountinfo': '31 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    ...(Object.fromEntries([...files, ...groups]) as Record<string, string>),
  })
  return lastRoot
}

function groupsOf(path: string): string[] {
  const names = path.split('/').slice(1)
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`)
}
