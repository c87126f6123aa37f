/** From where on each number is worth a line, and what that says. */
import { expect, test } from 'vitest'
import { overviewOf } from '../../../../collectors/lib/metrics-overview/overview.ts'
import { remarksOf } from '../../../../collectors/lib/metrics-overview/remarks.ts'
import { container, host, HOUR, kitOf, MINUTE, mount, NOON, process, type Sampled } from './days.ts'

const said = async (sampled: readonly Sampled[]) =>
  remarksOf(await overviewOf(kitOf({ sampled }))).map(({ what, said: more }) => `${what}: ${more}`)

const FROM = NOON - 6 * HOUR

/** From six hours before noon on, for that long. */
const during = (minutes: number, columns: Record<string, number>) => (timeMs: number) =>
  timeMs >= FROM && timeMs < FROM + minutes * MINUTE ? columns : {}

const GIB = 2 ** 30

test.each([
  // One sample is enough.
  [
    'Memory in use',
    'at 06:00, for a moment',
    1 / 6,
    { memory_available_bytes: 0.39 * GIB },
    { memory_available_bytes: 0.41 * GIB },
  ],
  [
    'Swap in use',
    'over 80 % for 6 min',
    6,
    { swap_total_bytes: GIB, swap_free_bytes: 0.19 * GIB },
    { swap_total_bytes: GIB, swap_free_bytes: 0.21 * GIB },
  ],
  [
    'Connections tracked, of the limit',
    '92 % at 06:00',
    3,
    { conntrack_entries: 92, conntrack_limit: 100 },
    { conntrack_entries: 89, conntrack_limit: 100 },
  ],
  [
    'Open files, of the limit',
    '92 % at 06:00',
    3,
    { file_descriptors: 92, file_descriptors_limit: 100 },
    { file_descriptors: 89, file_descriptors_limit: 100 },
  ],
  // It has to last.
  [
    'CPU busy',
    'over 95 % for 12 min',
    12,
    { cpu_user_percent: 90, cpu_system_percent: 7.7 },
    { cpu_user_percent: 90, cpu_system_percent: 4 },
  ],
  ['CPU waiting for disks (iowait)', 'over 30 % for 3 min', 3, { cpu_iowait_percent: 31 }, { cpu_iowait_percent: 29 }],
  [
    'CPU taken for other machines (steal)',
    '11 % at 06:00, over 10 % for 3 min',
    3,
    { cpu_steal_percent: 11 },
    { cpu_steal_percent: 9.9 },
  ],
  [
    'Tasks waited for a CPU',
    'over 60 % for 6 min',
    6,
    { pressure_cpu_some_percent: 61 },
    { pressure_cpu_some_percent: 59 },
  ],
  [
    'All tasks waited for memory',
    'over 10 % for 3 min',
    3,
    { pressure_memory_full_percent: 11 },
    { pressure_memory_full_percent: 9 },
  ],
  [
    'All tasks waited for a disk',
    'over 40 % for 3 min',
    3,
    { pressure_io_full_percent: 41 },
    { pressure_io_full_percent: 39 },
  ],
  [
    'TCP segments sent again',
    '6 % at 06:00',
    3,
    { tcp_retransmits_per_second: 6, tcp_out_segments_per_second: 100 },
    { tcp_retransmits_per_second: 4, tcp_out_segments_per_second: 100 },
  ],
])('%s: %s', async (what, more, minutes, over, under) => {
  expect(await said([host(during(minutes, over))])).toEqual([
    expect.stringMatching(new RegExp(`^${escaped(what)}: .*${escaped(more)}`)),
  ])
  expect(await said([host(during(minutes, under))])).toEqual([])
})

const escaped = (text: string) => text.replaceAll(/[()]/g, String.raw`\$&`)

test('a CPU that is busy for less than ten minutes is no news', async () => {
  expect(await said([host(during(9, { cpu_user_percent: 97 }))])).toEqual([])
})

test('of few segments one that is lost tells nothing', async () => {
  const few = { tcp_retransmits_per_second: 3, tcp_out_segments_per_second: 6 }
  expect(await said([host(during(30, few))])).toEqual([])
})

test('more than the whole time nobody can wait', async () => {
  const [remark] = await said([host(during(3, { pressure_memory_full_percent: 108 }))])
  expect(remark).toBe('All tasks waited for memory: 100 % at 06:00, over 10 % for 3 min')
})

test('a disk is full by its space or by its inodes, whatever is reserved for root', async () => {
  const full = (columns: Record<string, number>): Sampled => ({
    ...mount('/', () => 0.5),
    at: () => ({ ...mount('/', () => 0.5).at(NOON), ...columns }),
  })
  expect(await said([host(), full({ used_bytes: 19 * GIB, available_bytes: GIB })])).toEqual([
    expect.stringMatching(/^Disk \/, space used: 95 % at 12:00, over 95 % for 24 h, and still$/),
  ])
  expect(await said([host(), full({ inodes: 100, inodes_free: 5 })])).toEqual([
    expect.stringMatching(/^Disk \/, inodes used: 95 % at 12:00/),
  ])
  expect(
    await said([host(), full({ used_bytes: 18 * GIB, available_bytes: 1.1 * GIB, inodes: 100, inodes_free: 6 })]),
  ).toEqual([])
})

test('kills in containers are a part of those of the machine', async () => {
  const once = (columns: Record<string, number>) => during(1 / 6, columns)
  const killed = container('web', once({ oom_kills: 2 }))
  expect(await said([host(once({ oom_kills: 2 })), killed])).toEqual([
    'Out of memory in container web: 2 processes were killed, the last at 06:00',
  ])
  expect(await said([host(once({ oom_kills: 3 })), killed])).toEqual([
    'Out of memory on the machine or by a limit in it: 3 processes were killed, 2 of them in the containers named here, the last at 06:00',
    'Out of memory in container web: 2 processes were killed, the last at 06:00',
  ])
  expect(await said([host(once({ oom_kills: 1 }))])).toEqual([
    'Out of memory on the machine or by a limit in it: 1 process was killed, at 06:00',
  ])
})

test('a container without a limit cannot reach it', async () => {
  const used = { memory_working_set_bytes: 7.9 * GIB }
  expect(await said([host(), container('web', during(9, used))])).toEqual([])
  expect(await said([host(), container('web', during(9, { ...used, memory_limit_bytes: 8 * GIB }))])).toEqual([
    'Container web, memory of its limit: 99 % at 06:00, over 95 % for 9 min',
  ])
})

test('who took most of what was short is named, of those recorded at that time', async () => {
  const short = host(during(12, { memory_available_bytes: 0, cpu_user_percent: 99 }))
  const others = [
    process('idle', '1', FROM - 2 * HOUR, FROM - HOUR, { resident_bytes: 8 * GIB, cpu_percent: 400 }),
    process('java', '2', FROM, FROM + 12 * MINUTE, { resident_bytes: 6 * GIB, cpu_percent: 20 }),
    process('gcc', '3', FROM, FROM + 12 * MINUTE, { resident_bytes: GIB, cpu_percent: 380 }),
  ]
  expect(await said([short, ...others])).toEqual([
    'Memory in use: 100 % at 06:00, over 95 % for 12 min. Largest then: java (2) 6 GiB',
    expect.stringMatching(/^CPU busy: .*\. Busiest then: gcc \(3\) 380 %$/),
  ])
})
