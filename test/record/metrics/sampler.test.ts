import { chmodSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg, totalmem, uptime } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createSampler } from '../../../src/record/metrics/sampler.ts'
import { addTo, hostOf, NEVER, readingOf, samplerOf, treeOf } from './read/machine.ts'

describe('the sampler', () => {
  test('of this machine tells what Node.js tells', () => {
    const { reading, sample } = createSampler({ intervalMs: 10_000, pressure: NEVER }).sample()
    const { problem, values } = hostOf(reading)
    expect(problem).toBeUndefined()
    expect(values.memory_total_bytes).toBe(totalmem())
    expect(values.cpu_count).toBeGreaterThanOrEqual(availableParallelism())
    expect(values.load_15).toBeCloseTo(loadavg()[2]!, 0)
    expect(Math.abs(values.uptime_seconds! - uptime())).toBeLessThan(60)
    expect(values.diagd_resident_bytes).toBeGreaterThan(10 * 1024 * 1024)
    expect(values.diagd_open_files).toBeGreaterThan(3)
    expect(values.diagd_sample_cpu_seconds).toBeGreaterThan(0)
    expect(reading.costMs.cpu).toBeGreaterThan(0)
    expect(reading.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    expect(sample.rows[0]?.subject).toBe('host')
  })

  test('keeps the reading before, and compares', () => {
    const root = treeOf({ 'proc/stat': 'cpu  100 0 0 900\ncpu0 100 0 0 900\nctxt 1000\n' })
    const sampler = samplerOf(root)
    expect(sampler.latest()).toBeUndefined()
    const first = sampler.sample()
    expect(sampler.latest()).toBe(first.reading)
    expect(first.sample.marks.map(({ kind }) => kind)).toEqual(['diagd-started'])
    addTo(root, { 'proc/stat': 'cpu  350 0 0 1650\ncpu0 350 0 0 1650\nctxt 21000\n' })
    const { sample } = sampler.sample()
    expect(sample.intervalMs).toBe(10_000)
    expect(sample.rows[0]?.columns).toMatchObject({
      cpu_user_percent: 25,
      cpu_idle_percent: 75,
      context_switches_per_second: 2000,
    })
    expect(sample.marks).toEqual([])
  })

  test('goes on from what is kept of the run before, without a rate', () => {
    const root = treeOf({ 'proc/sys/kernel/random/boot_id': 'boot-1\n', 'proc/stat': 'cpu  1 0 0 9\ncpu0 1 0 0 9\n' })
    const last = { timeMs: 1_700_000_000_000, monotonicMs: 0, boottimeMs: 0, bootId: 'boot-1' }
    const { sample } = samplerOf(root, { last }).sample()
    expect(sample.intervalMs).toBeUndefined()
    expect(sample.marks.map(({ kind, fromMs }) => [kind, fromMs])).toEqual([['diagd-started', last.timeMs]])
  })

  test('names what it could not read, and reads the rest', () => {
    const root = treeOf({ 'proc/loadavg': '1.00 2.00 3.00 1/2 3\n' })
    // A folder in the place of a file: it is there, and cannot be read, for root neither.
    addTo(root, { 'proc/meminfo/x': '', 'proc/net/dev/x': '' })
    const { problem, values } = hostOf(readingOf(root))
    expect(problem).toBe('memory: /proc/meminfo: EISDIR; interfaces: /proc/net/dev: EISDIR')
    expect(values.load_5).toBe(2)
  })

  test.runIf(process.getuid?.() !== 0)('says what it may not read', () => {
    const root = treeOf({ 'proc/meminfo': 'MemTotal: 1 kB\n' })
    chmodSync(`${root}/proc/meminfo`, 0)
    expect(hostOf(readingOf(root)).problem).toBe('memory: /proc/meminfo: EACCES')
  })

  test('of a machine that tells nothing is empty, and no error', () => {
    const { reading, sample } = samplerOf(treeOf({})).sample()
    expect(reading.rows.map(({ subject, problem }) => [subject, problem])).toEqual([['host', undefined]])
    expect(sample.rows).toHaveLength(1)
  })

  test('takes what other threads of diagd know of themselves', () => {
    const own = () => ({ diagd_event_loop_delay_seconds: 0.25 })
    const { sample } = samplerOf(treeOf({}), { own }).sample()
    expect(sample.rows[0]?.columns).toMatchObject({ diagd_event_loop_delay_ms: 250 })
  })
})
