/** What is read of machines that were recorded (test/fixtures/metrics/README.md). */
import { expect, test } from 'vitest'
import { CATALOGUE } from '../../../../src/record/metrics/catalogue/index.ts'
import { LABELS } from '../../../../src/record/metrics/catalogue/labels.ts'
import { hostOf, readingOf, recorded, rowOf, rowsOf, samplerOf } from './machine.ts'

const MACHINES = ['cgroup-v1', 'cgroup-v2', 'gvisor', 'arm64'] as const

/** Its files were not recorded; containers.test.ts makes them. */
const UNRECORDED = 'container memory_peak_bytes'

test.each(MACHINES)('%s: nothing fails, and only what the catalogue lists is told', (name) => {
  const sampler = samplerOf(recorded(name), { pressure: { cpu: 0, memory: 0, io: 0 } })
  sampler.sample()
  const { reading } = sampler.sample()
  expect(hostOf(reading).problem).toBeUndefined()
  for (const { subject, labels, values } of reading.rows) {
    const names = CATALOGUE.filter((metric) => metric.subject === subject).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(Object.keys(values)))
    expect(LABELS[subject].map(({ key }) => key)).toEqual(expect.arrayContaining(Object.keys(labels)))
    expect(Object.values(values).filter((value) => !Number.isFinite(value) || value < 0)).toEqual([])
  }
})

test('all that the catalogue lists is read on one machine or another, this one among them', () => {
  const own = () => ({ diagd_event_loop_delay_seconds: 0.001 })
  const readings = ['', ...MACHINES.map((name) => recorded(name))].map((root) => {
    const sampler = samplerOf(root, { pressure: { cpu: 0, memory: 0, io: 0 }, own })
    sampler.sample()
    return sampler.sample().reading
  })
  const told = new Set(
    readings.flatMap(({ rows }) =>
      rows.flatMap(({ subject, values }) => Object.keys(values).map((key) => `${subject} ${key}`)),
    ),
  )
  const missing = CATALOGUE.map(({ subject, name }) => `${subject} ${name}`).filter(
    (name) => name !== UNRECORDED && !told.has(name),
  )
  expect(missing).toEqual([])
})

test('a virtual machine of Debian 12 on ARM', () => {
  const reading = readingOf(recorded('arm64'))
  const host = hostOf(reading).values
  expect(host).toMatchObject({ cpu_count: 2, cpu_user_seconds: 2.44, cpu_system_seconds: 3.23, cpu_idle_seconds: 9.02 })
  expect(host).toMatchObject({ cpu_iowait_seconds: 0.03, cpu_interrupt_seconds: 0.09, cpu_steal_seconds: 0 })
  expect(host).toMatchObject({ memory_total_bytes: 490_308 * 1024 })
  expect(host).toMatchObject({
    pressure_cpu_some_seconds: 0.383895,
    pressure_cpu_some_avg10_ratio: expect.closeTo(0.013),
  })
  expect(host).toMatchObject({ pressure_io_full_seconds: 0.026341 })
  expect(host).not.toHaveProperty('conntrack_entries')
  expect(host).not.toHaveProperty('pressure_cpu_full_seconds')
  expect(rowsOf(reading, 'cpu')).toHaveLength(2)
  expect(rowOf(reading, 'cpu', '1')?.values).toMatchObject({ user_seconds: 2.38, interrupt_seconds: 0.04 })
  expect(rowOf(reading, 'disk', 'vdb')?.values).toEqual({
    reads: 11,
    read_bytes: 30 * 512,
    read_time_seconds: 0.022,
    writes: 10,
    written_bytes: 8220 * 512,
    write_time_seconds: 0.121,
    io_now: 0,
    io_time_seconds: 0.12,
    io_time_weighted_seconds: 0.195,
  })
  expect(rowOf(reading, 'interface', 'eth0')?.values).toMatchObject({ receive_bytes: 110, transmit_packets: 7 })
  expect(rowsOf(reading, 'container')).toEqual([])
  expect(reading.bootId).toMatch(/^[0-9a-f-]{36}$/)
})

test('a sandbox of gVisor: what it does not know is missing, and not 0', () => {
  const reading = readingOf(recorded('gvisor'))
  const host = hostOf(reading).values
  expect(host).toMatchObject({ cpu_count: 2, memory_total_bytes: 24_684_096 * 1024, processes: 2, uptime_seconds: 10 })
  const absent = /^(cpu_.*_seconds|pressure_|load_|context_switches|forks|file_descriptors|conntrack|oom_kills)/
  expect(Object.keys(host).filter((name) => absent.test(name))).toEqual([])
  expect(rowsOf(reading, 'disk')).toEqual([])
  expect(rowsOf(reading, 'container')).toEqual([])
  expect(rowsOf(reading, 'cpu')).toEqual([])
  expect(reading.bootId).toBe('00000000-0000-0000-0000-000000000000')
  expect(rowsOf(reading, 'mount').map(({ labels }) => labels.mountpoint)).toEqual(['/', '/dev', '/tmp'])
})

test('a machine of Debian 12 with Docker: mounts, interfaces, disks, and how many are left out', () => {
  const reading = readingOf(recorded('cgroup-v2'))
  expect(rowsOf(reading, 'mount').map(({ labels }) => labels)).toEqual([
    { mountpoint: '/run', device: 'tmpfs', fstype: 'tmpfs' },
    { mountpoint: '/', device: '/dev/vda', fstype: 'ext4' },
    { mountpoint: '/dev/shm', device: 'tmpfs', fstype: 'tmpfs' },
    { mountpoint: '/run/lock', device: 'tmpfs', fstype: 'tmpfs' },
  ])
  expect(rowsOf(reading, 'interface').map(({ labels }) => labels.device)).toEqual(['lo', 'docker0'])
  expect(rowsOf(reading, 'disk').map(({ labels }) => labels.device)).toEqual(['vda', 'vdb'])
  expect(hostOf(reading).values).toMatchObject({
    left_out_interface_count: 2,
    left_out_mount_count: 0,
    left_out_disk_count: 0,
    left_out_container_count: 0,
    oom_kills: 1,
    boot_time_seconds: expect.any(Number),
    file_descriptors: expect.any(Number),
    tcp_established: expect.any(Number),
  })
})
