/** What a control group of version 2 tells (Documentation/admin-guide/cgroup-v2.rst). */
import type { Files } from './files.ts'
import { pressureIn } from './pressure.ts'
import { known, type Values } from './reader.ts'
import { numberAfter, numberIn, times } from './text.ts'

export function usageV2(files: Files, folder: string, isStacked: (device: string) => boolean): Values {
  const read = (name: string) => files.text(`${folder}/${name}`) ?? ''
  const cpu = read('cpu.stat')
  const microseconds = (key: string) => times(numberAfter(cpu, key), 1e-6)
  const [stat, events] = [read('memory.stat'), read('memory.events')]
  const usage = numberIn(read('memory.current'))
  return known({
    cpu_seconds: microseconds('usage_usec'),
    cpu_user_seconds: microseconds('user_usec'),
    cpu_system_seconds: microseconds('system_usec'),
    cpu_periods: numberAfter(cpu, 'nr_periods'),
    cpu_throttled_periods: numberAfter(cpu, 'nr_throttled'),
    cpu_throttled_seconds: microseconds('throttled_usec'),
    memory_usage_bytes: usage,
    // Since Linux 5.19.
    memory_peak_bytes: numberIn(read('memory.peak')),
    memory_working_set_bytes: workingSet(usage, numberAfter(stat, 'inactive_file')),
    memory_rss_bytes: numberAfter(stat, 'anon'),
    memory_cache_bytes: numberAfter(stat, 'file'),
    memory_swap_bytes: numberIn(read('memory.swap.current')),
    memory_failures: numberAfter(events, 'max'),
    oom_kills: numberAfter(events, 'oom_kill'),
    threads: numberIn(read('pids.current')),
    ...inAndOut(read('io.stat'), isStacked),
    ...pressure(read),
  })
}

/** `max` is no limit. */
export function limitsV2(files: Files, folder: string): Values {
  const read = (name: string) => files.line(`${folder}/${name}`)
  const [quota, period] = read('cpu.max')?.split(' ') ?? []
  return known({
    cpu_limit: Number(quota) / Number(period),
    memory_limit_bytes: numberIn(read('memory.max')),
    threads_limit: numberIn(read('pids.max')),
  })
}

/** As cAdvisor has it: without the cache that was not used lately, which would go first. */
export function workingSet(usage: number | undefined, inactive: number | undefined): number | undefined {
  return usage === undefined ? undefined : Math.max(0, usage - (inactive ?? 0))
}

/** `254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`. A group that never read or wrote has no line. */
function inAndOut(text: string, isStacked: (device: string) => boolean) {
  if (text === '') return {}
  const sum = { read_bytes: 0, written_bytes: 0, reads: 0, writes: 0 }
  for (const line of text.split('\n')) {
    if (isStacked(line.slice(0, line.indexOf(':')))) continue
    const [read, written, reads, writes] = ['rbytes', 'wbytes', 'rios', 'wios'].map((key) =>
      Number(line.split(`${key}=`)[1]?.split(' ', 1)[0] ?? 0),
    )
    sum.read_bytes += read ?? 0
    sum.written_bytes += written ?? 0
    sum.reads += reads ?? 0
    sum.writes += writes ?? 0
  }
  return sum
}

function pressure(read: (name: string) => string) {
  return Object.fromEntries(
    ['cpu', 'memory', 'io'].flatMap((resource) => {
      const { some, full } = pressureIn(read(`${resource}.pressure`))
      return [
        [`pressure_${resource}_some_seconds`, some?.seconds],
        [`pressure_${resource}_full_seconds`, full?.seconds],
      ]
    }),
  ) as Record<string, number | undefined>
}
