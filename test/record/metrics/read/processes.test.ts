import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSampler } from '../../../../src/record/metrics/sampler.ts'
import { addTo, hostOf, NEVER, recorded, readingOf, rowOf, rowsOf, samplerOf, treeOf } from './machine.ts'

const ALWAYS = { cpu: 0, memory: 101, io: 101 }

describe('processes', () => {
  test('are counted by state', () => {
    const states = ['R', 'S', 'S', 'D', 'Z', 'T', 't', 'I', 'X']
    const files = states.map((state, at) => [`proc/${at + 1}/stat`, stat({ pid: at + 1, state })])
    expect(hostOf(readingOf(treeOf(Object.fromEntries(files)))).values).toMatchObject({
      processes: 9,
      threads: 9,
      processes_running: 1,
      processes_sleeping: 2,
      processes_uninterruptible: 1,
      processes_zombie: 1,
      processes_stopped: 1,
      processes_traced: 1,
      processes_idle: 1,
    })
  })

  test('are not named as long as nothing waits', () => {
    const sampler = samplerOf(recorded('cgroup-v2'), { pressure: NEVER })
    sampler.sample()
    expect(rowsOf(sampler.sample().reading, 'process')).toEqual([])
  })

  test('are named while something waits for a CPU: those that use most since the sample before', () => {
    const root = treeOf({ ...pressure('cpu', 60), ...many(20, (pid) => ({ pid, ticks: 100 })) })
    const sampler = samplerOf(root, { pressure: { cpu: 50, memory: 101, io: 101 } })
    sampler.sample()
    addTo(
      root,
      many(20, (pid) => ({ pid, ticks: 100 + pid * 10 })),
    )
    const rows = rowsOf(sampler.sample().reading, 'process')
    expect(rows.map(({ labels }) => labels.pid)).toEqual(['20', '19', '18', '17', '16', '15', '14', '13', '12', '11'])
    expect(rows[0]?.values).toMatchObject({
      cpu_ratio: 0.2,
      resident_bytes: 100 * 4096,
      threads: 1,
      uninterruptible: 0,
    })
  })

  test('of the first sample, and one that took the number of another, show no use of the CPU', () => {
    const root = treeOf({ ...pressure('cpu', 60), 'proc/7/stat': stat({ pid: 7, ticks: 100, start: 50 }) })
    const sampler = samplerOf(root, { pressure: ALWAYS })
    expect(rowsOf(sampler.sample().reading, 'process')).toEqual([])
    addTo(root, { 'proc/7/stat': stat({ pid: 7, ticks: 900, start: 5000 }) })
    expect(rowsOf(sampler.sample().reading, 'process')).toEqual([])
  })

  test('are named by their memory while something waits for memory', () => {
    const root = treeOf({ ...pressure('memory', 11), ...many(12, (pid) => ({ pid, pages: pid * 10 })) })
    const rows = rowsOf(readingOf(root, { pressure: { cpu: 50, memory: 10, io: 50 } }), 'process')
    expect(rows.map(({ labels }) => labels.pid)).toEqual(['12', '11', '10', '9', '8', '7', '6', '5', '4', '3'])
  })

  test('are named by what they read and write while something waits for a disk, and first of all those that hang', () => {
    const io = (read: number) =>
      `rchar: 1\nwchar: 2\nsyscr: 1\nsyscw: 1\nread_bytes: ${read}\nwrite_bytes: 0\ncancelled_write_bytes: 0\n`
    const root = treeOf({
      ...pressure('io', 70),
      ...many(3, (pid) => ({ pid, state: pid === 3 ? 'D' : 'S' })),
      ...Object.fromEntries([1, 2, 3].map((pid) => [`proc/${pid}/io`, io(0)])),
    })
    const sampler = samplerOf(root, { pressure: { cpu: 101, memory: 101, io: 50 } })
    expect(rowsOf(sampler.sample().reading, 'process').map(({ labels }) => labels.pid)).toEqual(['3'])
    addTo(root, { 'proc/2/io': io(50_000) })
    const rows = rowsOf(sampler.sample().reading, 'process')
    expect(rows.map(({ labels, values }) => [labels.pid, values.read_bytes_per_second])).toEqual([
      ['2', 5000],
      ['3', 0],
    ])
    expect(rows[1]?.values.uninterruptible).toBe(1)
  })

  test('where the kernel does not tell of pressure: load and memory decide', () => {
    const root = treeOf({
      'proc/stat': 'cpu  1 0 0 0\ncpu0 1 0 0 0\n',
      'proc/loadavg': '1.90 1.00 1.00 1/2 3\n',
      'proc/meminfo': 'MemTotal: 1000 kB\nMemAvailable: 60 kB\n',
      'proc/7/stat': stat({ pid: 7 }),
    })
    const named = () => rowsOf(readingOf(root, { pressure: NEVER }), 'process').map(({ labels }) => labels.pid)
    expect(named()).toEqual([])
    addTo(root, { 'proc/meminfo': 'MemTotal: 1000 kB\nMemAvailable: 40 kB\n' })
    expect(named()).toEqual(['7'])
    addTo(root, { 'proc/meminfo': 'MemTotal: 1000 kB\nMemAvailable: 60 kB\n', 'proc/loadavg': '2.10 1 1 1/2 3\n' })
    const sampler = samplerOf(root, { pressure: NEVER })
    sampler.sample()
    addTo(root, { 'proc/7/stat': stat({ pid: 7, ticks: 800 }) })
    expect(rowsOf(sampler.sample().reading, 'process')).toHaveLength(1)
  })

  test('with anything in their names', () => {
    const root = treeOf({ ...pressure('memory', 90), 'proc/7/stat': stat({ pid: 7, name: 'a) R (\nbé' }) })
    expect(rowOf(readingOf(root, { pressure: { ...NEVER, memory: 10 } }), 'process', '7')?.labels.name).toBe(
      'a) R (\nbé',
    )
  })

  test('carry the container they are in', () => {
    const sampler = samplerOf(recorded('cgroup-v2'), { pressure: { cpu: 101, memory: 0, io: 101 } })
    expect(rowOf(sampler.sample().reading, 'process', '546')?.labels).toEqual({
      pid: '546',
      name: 'sh',
      container: '55977324c334',
    })
  })

  test('of this machine: one that is busy is found', async () => {
    const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
    onTestFinished(() => void busy.kill('SIGKILL'))
    const sampler = createSampler({ intervalMs: 10_000, pressure: ALWAYS })
    await used(busy.pid!, 10)
    sampler.sample()
    await used(busy.pid!, 100)
    const row = rowOf(sampler.sample().reading, 'process', String(busy.pid))
    expect(row?.values.cpu_ratio).toBeGreaterThan(0)
    expect(row?.values.cpu_ratio).toBeLessThan(1.5)
    expect(row?.values.resident_bytes).toBeGreaterThan(10 * 1024 * 1024)
  })
})

async function used(pid: number, ticks: number): Promise<void> {
  for (;;) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
    if (Number(fields[11]) + Number(fields[12]) >= ticks) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

interface Stat {
  readonly pid: number
  readonly name?: string
  readonly state?: string
  readonly ticks?: number
  readonly start?: number
  readonly pages?: number
}

function stat({ pid, name = 'x', state = 'S', ticks = 0, start = 1, pages = 100 }: Stat): string {
  return `${pid} (${name}) ${state} 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${start} 1000 ${pages} 0\n`
}

function many(count: number, describe: (pid: number) => Stat): Record<string, string> {
  const pids = Array.from({ length: count }, (_, at) => at + 1)
  return Object.fromEntries(pids.map((pid) => [`proc/${pid}/stat`, stat(describe(pid))]))
}

function pressure(resource: string, percent: number): Record<string, string> {
  const lines = ['some', 'full'].map(
    (kind) => `${kind} avg10=${kind === 'some' ? percent : 0}.00 avg60=0.00 avg300=0.00 total=5`,
  )
  return { [`proc/pressure/${resource}`]: `${lines.join('\n')}\n` }
}
