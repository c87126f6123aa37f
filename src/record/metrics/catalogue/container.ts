/** A container: its control group, of version 1 or 2. */
import { increase, metricsOf, otelCounter, otelSum, percentOfTime, perSecond, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('container')
const cpuTime = 'CPU time by mode.'
const io = 'Bytes read and written.'

/** cAdvisor calls what some wait for waiting, and what all wait for stalled. Version 2 only. */
const pressure = (['cpu', 'memory', 'io'] as const).flatMap((resource) =>
  Object.entries({ some: 'waiting', full: 'stalled' }).map(([kind, name]) =>
    counter(`pressure_${resource}_${kind}_seconds`, `Time in which ${kind} of its tasks waited for ${resource}.`, {
      kept: percentOfTime(`pressure_${resource}_${kind}_percent`),
      prometheus: prom(`container_pressure_${resource}_${name}_seconds_total`),
    }),
  ),
)

export const CONTAINER = [
  counter('cpu_seconds', 'CPU time.', {
    kept: percentOfTime('cpu_percent'),
    prometheus: prom('container_cpu_usage_seconds_total', { cpu: 'total' }),
  }),
  counter('cpu_user_seconds', 'CPU time in programs.', {
    kept: percentOfTime('cpu_user_percent'),
    prometheus: prom('container_cpu_user_seconds_total'),
    otel: otelCounter('container.cpu.time', 's', { 'cpu.mode': 'user' }, cpuTime),
  }),
  counter('cpu_system_seconds', 'CPU time in the kernel.', {
    kept: percentOfTime('cpu_system_percent'),
    prometheus: prom('container_cpu_system_seconds_total'),
    otel: otelCounter('container.cpu.time', 's', { 'cpu.mode': 'system' }, cpuTime),
  }),
  gauge('cpu_limit', 'CPUs it may use; missing without a limit.', {
    kept: value('cpu_limit', 2),
    prometheus: prom('diagd_container_cpu_limit_cores'),
  }),
  counter('cpu_periods', 'Periods in which its CPU time was limited and it ran.', {
    prometheus: prom('container_cpu_cfs_periods_total'),
  }),
  counter('cpu_throttled_periods', 'Periods in which it had used up its CPU time and had to wait.', {
    kept: increase('cpu_throttled_periods'),
    prometheus: prom('container_cpu_cfs_throttled_periods_total'),
  }),
  counter('cpu_throttled_seconds', 'Time it had to wait for its next period, added up over CPUs.', {
    kept: percentOfTime('cpu_throttled_percent'),
    prometheus: prom('container_cpu_cfs_throttled_seconds_total'),
  }),
  gauge('memory_usage_bytes', 'Memory, with its cache.', {
    kept: value('memory_usage_bytes'),
    prometheus: prom('container_memory_usage_bytes'),
    otel: otelSum('container.memory.usage', 'By'),
  }),
  gauge('memory_peak_bytes', 'The most memory it had, with its cache, since it was started.', {
    prometheus: prom('container_memory_max_usage_bytes'),
  }),
  gauge('memory_working_set_bytes', 'Memory without the cache that was not used lately.', {
    kept: value('memory_working_set_bytes'),
    prometheus: prom('container_memory_working_set_bytes'),
    otel: otelSum('container.memory.working_set', 'By'),
  }),
  gauge('memory_rss_bytes', 'Memory that no file stands behind.', {
    kept: value('memory_rss_bytes'),
    prometheus: prom('container_memory_rss'),
    otel: otelSum('container.memory.rss', 'By'),
  }),
  gauge('memory_cache_bytes', 'Cache.', {
    kept: value('memory_cache_bytes'),
    prometheus: prom('container_memory_cache'),
  }),
  gauge('memory_swap_bytes', 'Swap.', { kept: value('memory_swap_bytes'), prometheus: prom('container_memory_swap') }),
  gauge('memory_limit_bytes', 'Memory it may have; missing without a limit.', {
    kept: value('memory_limit_bytes'),
    prometheus: prom('container_spec_memory_limit_bytes'),
  }),
  counter('memory_failures', 'How often it reached its limit.', {
    kept: increase('memory_failures'),
    prometheus: prom('container_memory_failcnt'),
  }),
  counter('oom_kills', 'Processes the kernel killed in it for want of memory.', {
    kept: increase('oom_kills'),
    prometheus: prom('container_oom_events_total'),
  }),
  gauge('processes', 'Processes.', { prometheus: prom('container_processes') }),
  gauge('threads', 'Threads.', { kept: value('threads'), prometheus: prom('container_threads') }),
  gauge('threads_limit', 'Threads it may have; missing without a limit.', {
    prometheus: prom('container_threads_max'),
  }),
  counter('read_bytes', 'Bytes read from disks.', {
    kept: perSecond('read_bytes_per_second'),
    prometheus: prom('container_fs_reads_bytes_total'),
    otel: otelCounter('container.disk.io', 'By', { 'disk.io.direction': 'read' }, io),
  }),
  counter('written_bytes', 'Bytes written to disks.', {
    kept: perSecond('written_bytes_per_second'),
    prometheus: prom('container_fs_writes_bytes_total'),
    otel: otelCounter('container.disk.io', 'By', { 'disk.io.direction': 'write' }, io),
  }),
  counter('reads', 'Reads from disks.', {
    kept: perSecond('reads_per_second', 1),
    prometheus: prom('container_fs_reads_total'),
  }),
  counter('writes', 'Writes to disks.', {
    kept: perSecond('writes_per_second', 1),
    prometheus: prom('container_fs_writes_total'),
  }),
  ...pressure,
]
