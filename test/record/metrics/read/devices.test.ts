/** Disks and network interfaces: which of them are told of. */
import { describe, expect, test } from 'vitest'
import { hostOf, readingOf, recorded, rowOf, rowsOf, treeOf } from './machine.ts'

describe('disks', () => {
  test.each([
    ['a disk, not its partitions', 'sda sda1 sda2 sda15', 'sda'],
    ['NVMe', 'nvme0n1 nvme0n1p1 nvme0n1p15 nvme1n1', 'nvme0n1 nvme1n1'],
    ['cards', 'mmcblk0 mmcblk0p1', 'mmcblk0'],
    ['a machine of Xen whose disk is called as a partition', 'xvda1 xvdb', 'xvda1 xvdb'],
    ['volumes', 'sda dm-0 dm-1 md127 zram0', 'sda dm-0 dm-1 md127 zram0'],
    ['no images and no memory', 'vda loop0 ram0 fd0', 'vda'],
  ])('%s', (_, names, told) => {
    expect(disks(names.split(' '))).toEqual(told.split(' '))
  })

  test('none that was never used', () => {
    const text = `   8  0 sda ${'0 '.repeat(17)}\n  11  0 sr0 ${'0 '.repeat(11)}\n   8 16 sdb 0 0 0 0 7 ${'0 '.repeat(12)}\n`
    expect(told(text)).toEqual(['sdb'])
  })

  test('of more than 64 the rest is counted', () => {
    const names = Array.from({ length: 66 }, (_, at) => `dm-${at}`)
    const reading = readingOf(treeOf({ 'proc/diskstats': diskstats(names) }))
    expect(rowsOf(reading, 'disk')).toHaveLength(64)
    expect(hostOf(reading).values.left_out_disk_count).toBe(2)
  })

  test('of a kernel with fewer numbers', () => {
    const reading = readingOf(treeOf({ 'proc/diskstats': '8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n' }))
    expect(rowOf(reading, 'disk', 'sda')?.values).toMatchObject({
      reads: 1,
      read_bytes: 3 * 512,
      io_time_seconds: 0.01,
    })
  })
})

describe('network interfaces', () => {
  test('of containers and pods are counted, bridges and cards are told of', () => {
    const names = ['lo', 'eth0', 'docker0', 'br-0123456789ab', 'cni0', 'flannel.1', 'lxcbr0', 'eni0', 'wg0']
    const cables = ['veth3385269', 'cali0a1b2c3d4e5', 'lxc1a2b3c4d5e6f', 'eni0a1b2c3d4e5', 'gke0a1b2c3d4e5', 'azv0123']
    const reading = readingOf(treeOf({ 'proc/net/dev': dev([...names, ...cables]) }))
    expect(rowsOf(reading, 'interface').map(({ labels }) => labels.device)).toEqual(names)
    expect(hostOf(reading).values.left_out_interface_count).toBe(cables.length)
  })

  test('of more than 64 the rest is counted', () => {
    const names = Array.from({ length: 66 }, (_, at) => `br-${at}`)
    const reading = readingOf(treeOf({ 'proc/net/dev': dev(names) }))
    expect(rowsOf(reading, 'interface')).toHaveLength(64)
    expect(hostOf(reading).values.left_out_interface_count).toBe(2)
  })

  test('with numbers that touch the colon', () => {
    const reading = readingOf(treeOf({ 'proc/net/dev': '  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n' }))
    expect(rowOf(reading, 'interface', 'eth0')?.values).toEqual({
      receive_bytes: 1,
      receive_packets: 2,
      receive_errors: 3,
      receive_drops: 4,
      transmit_bytes: 9,
      transmit_packets: 10,
      transmit_errors: 11,
      transmit_drops: 12,
    })
  })
})

test('TCP, UDP and connections are found by the names of their columns', () => {
  const { values } = hostOf(
    readingOf(
      treeOf({
        'proc/net/snmp':
          'Tcp: RetransSegs OutSegs CurrEstab MaxConn\nTcp: 7 900 3 -1\nUdp: New RcvbufErrors\nUdp: 1 4\nUdpLite: RcvbufErrors\nUdpLite: 9\n',
        'proc/net/netstat': 'TcpExt: A ListenDrops ListenOverflows\nTcpExt: 1 5 6\nIpExt: ListenDrops\nIpExt: 8\n',
        'proc/net/sockstat': 'sockets: used 40\nTCP: inuse 1 orphan 0 tw 12 alloc 1 mem 15\nUDP: inuse 0 mem 0\n',
        'proc/sys/net/netfilter/nf_conntrack_count': '33\n',
        'proc/sys/net/netfilter/nf_conntrack_max': '262144\n',
      }),
    ),
  )
  expect(values).toMatchObject({
    tcp_retransmitted_segments: 7,
    tcp_out_segments: 900,
    tcp_established: 3,
    udp_receive_buffer_errors: 4,
    tcp_listen_drops: 5,
    tcp_listen_overflows: 6,
    tcp_time_wait: 12,
    conntrack_entries: 33,
    conntrack_limit: 262_144,
  })
})

test('memory: bytes, what is used of it, and what the kernel did for want of it', () => {
  const { values } = hostOf(readingOf(recorded('cgroup-v1')))
  const { memory_used_bytes: used = 0, memory_free_bytes: free = 0, memory_buffers_bytes: buffers = 0 } = values
  const { memory_cached_bytes: cached = 0, memory_total_bytes: total } = values
  expect(used + free + buffers + cached).toBe(total)
  expect(total).toBe(24_684_096 * 1024)
  expect(values).toMatchObject({ swap_total_bytes: 0, swap_used_bytes: 0, oom_kills: 4 })
})

test('pages of 64 KiB, as some ARM machines have them', () => {
  const auxv = Buffer.alloc(48)
  for (const [at, number] of [33n, 0xffff_0000n, 6n, 65_536n].entries()) auxv.writeBigUInt64LE(number, at * 8)
  const root = treeOf({ 'proc/self/statm': '100 10 5 1 0 20 0\n', 'proc/self/auxv': auxv })
  expect(hostOf(readingOf(root)).values.diagd_virtual_bytes).toBe(100 * 65_536)
})

function disks(names: readonly string[]) {
  return told(diskstats(names))
}

function told(text: string) {
  return rowsOf(readingOf(treeOf({ 'proc/diskstats': text })), 'disk').map(({ labels }) => labels.device)
}

function diskstats(names: readonly string[]): string {
  return names.map((name, at) => ` 8 ${at} ${name} 1 0 8 0 1 0 8 0 0 0 0 0 0 0 0 0 0\n`).join('')
}

function dev(names: readonly string[]): string {
  const head = 'Inter-|   Receive  |  Transmit\n face |bytes    packets|bytes    packets\n'
  return head + names.map((name) => `${name.padStart(6)}: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n`).join('')
}
