/** What the control groups of version 1 tell (Documentation/admin-guide/cgroup-v1/). */
import type { Folders } from './cgroup-mounts.ts'
import { workingSet } from './cgroup-v2.ts'
import type { Files } from './files.ts'
import { known, type Values } from './reader.ts'
import { numberAfter, numberIn, times } from './text.ts'

const TICKS_PER_SECOND = 100
/** No limit is the greatest number of pages that fits 63 bits, of whatever size they are. */
const NO_LIMIT_BYTES = 2 ** 62

export function usageV1(files: Files, folders: Folders, isStacked: (device: string) => boolean): Values {
  const cpu = textOf(files, folders.cpu, 'cpu.stat')
  const times100 = textOf(files, folders.cpuacct, 'cpuacct.stat')
  const stat = textOf(files, folders.memory, 'memory.stat')
  const usage = numberIn(textOf(files, folders.memory, 'memory.usage_in_bytes'))
  const moved = (name: string) => inAndOut(textOf(files, folders.blkio, `blkio.throttle.${name}_recursive`), isStacked)
  const [bytes, operations] = [moved('io_service_bytes'), moved('io_serviced')]
  return known({
    cpu_seconds: times(numberIn(textOf(files, folders.cpuacct, 'cpuacct.usage')), 1e-9),
    cpu_user_seconds: times(numberAfter(times100, 'user'), 1 / TICKS_PER_SECOND),
    cpu_system_seconds: times(numberAfter(times100, 'system'), 1 / TICKS_PER_SECOND),
    cpu_periods: numberAfter(cpu, 'nr_periods'),
    cpu_throttled_periods: numberAfter(cpu, 'nr_throttled'),
    cpu_throttled_seconds: times(numberAfter(cpu, 'throttled_time'), 1e-9),
    memory_usage_bytes: usage,
    memory_peak_bytes: numberIn(textOf(files, folders.memory, 'memory.max_usage_in_bytes')),
    memory_working_set_bytes: workingSet(usage, numberAfter(stat, 'total_inactive_file')),
    memory_rss_bytes: numberAfter(stat, 'total_rss'),
    memory_cache_bytes: numberAfter(stat, 'total_cache'),
    memory_swap_bytes: numberAfter(stat, 'total_swap'),
    memory_failures: numberIn(textOf(files, folders.memory, 'memory.failcnt')),
    oom_kills: numberAfter(textOf(files, folders.memory, 'memory.oom_control'), 'oom_kill'),
    threads: numberIn(textOf(files, folders.pids, 'pids.current')),
    read_bytes: bytes?.read,
    written_bytes: bytes?.written,
    reads: operations?.read,
    writes: operations?.written,
  })
}

export function limitsV1(files: Files, folders: Folders): Values {
  const quota = numberIn(textOf(files, folders.cpu, 'cpu.cfs_quota_us'))
  const period = numberIn(textOf(files, folders.cpu, 'cpu.cfs_period_us'))
  const memory = numberIn(textOf(files, folders.memory, 'memory.limit_in_bytes'))
  return known({
    cpu_limit: quota !== undefined && period !== undefined && quota > 0 ? quota / period : undefined,
    memory_limit_bytes: memory !== undefined && memory < NO_LIMIT_BYTES ? memory : undefined,
    threads_limit: numberIn(textOf(files, folders.pids, 'pids.max')),
  })
}

function textOf(files: Files, folder: string | undefined, name: string): string {
  return folder === undefined ? '' : (files.text(`${folder}/${name}`) ?? '')
}

/**
 * `254:0 Read 1`, `254:0 Write 2`, …, `Total 3`. Only the last line: it never read or wrote, or the kernel does not count
 * (since 6.10 it does so only where somebody set a limit), which looks the same.
 */
function inAndOut(text: string, isStacked: (device: string) => boolean) {
  const lines = [...text.matchAll(/^(\d+):\d+ (Read|Write) (\d+)$/gm)]
  if (lines.length === 0) return undefined
  const sum = { read: 0, written: 0 }
  for (const [, major = '', kind, count] of lines) {
    if (!isStacked(major)) sum[kind === 'Read' ? 'read' : 'written'] += Number(count)
  }
  return sum
}
