/** Memory, swap and paging: /proc/meminfo and /proc/vmstat. */
import { increase, metricsOf, otelCounter, otelSum, perSecond, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('host')
const usage = 'Memory by state.'
const swapUsage = 'Swap by state.'
const operations = 'Pages read from and written to swap.'

export const HOST_MEMORY = [
  gauge('memory_total_bytes', 'Memory of the machine.', {
    kept: value('memory_total_bytes'),
    prometheus: prom('node_memory_MemTotal_bytes'),
    otel: otelSum('system.memory.limit', 'By'),
  }),
  gauge('memory_available_bytes', 'Memory that programs can get without swapping, by estimate of the kernel.', {
    kept: value('memory_available_bytes'),
    prometheus: prom('node_memory_MemAvailable_bytes'),
    otel: otelSum('system.memory.linux.available', 'By'),
  }),
  gauge('memory_free_bytes', 'Memory that is used for nothing.', {
    kept: value('memory_free_bytes'),
    prometheus: prom('node_memory_MemFree_bytes'),
    otel: otelSum('system.memory.usage', 'By', { 'system.memory.state': 'free' }, usage),
  }),
  gauge('memory_buffers_bytes', 'Cache of block devices.', {
    kept: value('memory_buffers_bytes'),
    prometheus: prom('node_memory_Buffers_bytes'),
    otel: otelSum('system.memory.usage', 'By', { 'system.memory.state': 'buffers' }, usage),
  }),
  gauge('memory_cached_bytes', 'Cache of files, tmpfs and shared memory.', {
    kept: value('memory_cached_bytes'),
    prometheus: prom('node_memory_Cached_bytes'),
    otel: otelSum('system.memory.usage', 'By', { 'system.memory.state': 'cached' }, usage),
  }),
  gauge('memory_used_bytes', 'Memory that is neither free nor cache.', {
    otel: otelSum('system.memory.usage', 'By', { 'system.memory.state': 'used' }, usage),
  }),
  gauge('memory_anonymous_bytes', 'Memory of programs that no file stands behind.', {
    kept: value('memory_anonymous_bytes'),
    prometheus: prom('node_memory_AnonPages_bytes'),
  }),
  gauge('memory_shared_bytes', 'Shared memory and tmpfs.', {
    kept: value('memory_shared_bytes'),
    prometheus: prom('node_memory_Shmem_bytes'),
    otel: otelSum('system.memory.linux.shared', 'By'),
  }),
  gauge('memory_slab_reclaimable_bytes', 'Memory of the kernel that it can give back.', {
    kept: value('memory_slab_reclaimable_bytes'),
    prometheus: prom('node_memory_SReclaimable_bytes'),
    otel: slab('reclaimable'),
  }),
  gauge('memory_slab_unreclaimable_bytes', 'Memory of the kernel that it cannot give back.', {
    kept: value('memory_slab_unreclaimable_bytes'),
    prometheus: prom('node_memory_SUnreclaim_bytes'),
    otel: slab('unreclaimable'),
  }),
  gauge('memory_page_tables_bytes', 'Page tables.', {
    kept: value('memory_page_tables_bytes'),
    prometheus: prom('node_memory_PageTables_bytes'),
  }),
  gauge('memory_dirty_bytes', 'Memory that waits to be written to a disk.', {
    kept: value('memory_dirty_bytes'),
    prometheus: prom('node_memory_Dirty_bytes'),
  }),
  gauge('memory_writeback_bytes', 'Memory that is being written to a disk.', {
    kept: value('memory_writeback_bytes'),
    prometheus: prom('node_memory_Writeback_bytes'),
  }),
  gauge('memory_committed_bytes', 'Memory that programs were promised.', {
    kept: value('memory_committed_bytes'),
    prometheus: prom('node_memory_Committed_AS_bytes'),
  }),
  gauge('swap_total_bytes', 'Swap of the machine.', {
    kept: value('swap_total_bytes'),
    prometheus: prom('node_memory_SwapTotal_bytes'),
  }),
  gauge('swap_free_bytes', 'Swap that is free.', {
    kept: value('swap_free_bytes'),
    prometheus: prom('node_memory_SwapFree_bytes'),
    otel: otelSum('system.paging.usage', 'By', { 'system.paging.state': 'free' }, swapUsage),
  }),
  gauge('swap_used_bytes', 'Swap that is used.', {
    otel: otelSum('system.paging.usage', 'By', { 'system.paging.state': 'used' }, swapUsage),
  }),
  counter('swap_in_pages', 'Pages read from swap.', {
    kept: perSecond('swap_in_pages_per_second', 1),
    prometheus: prom('node_vmstat_pswpin'),
    otel: otelCounter('system.paging.operations', '{operation}', { 'system.paging.direction': 'in' }, operations),
  }),
  counter('swap_out_pages', 'Pages written to swap.', {
    kept: perSecond('swap_out_pages_per_second', 1),
    prometheus: prom('node_vmstat_pswpout'),
    otel: otelCounter('system.paging.operations', '{operation}', { 'system.paging.direction': 'out' }, operations),
  }),
  counter('major_faults', 'Page faults that had to read from a disk.', {
    kept: perSecond('major_faults_per_second', 1),
    prometheus: prom('node_vmstat_pgmajfault'),
    otel: otelCounter('system.paging.faults', '{fault}', { 'system.paging.fault.type': 'major' }),
  }),
  counter('oom_kills', 'Processes the kernel killed for want of memory.', {
    kept: increase('oom_kills'),
    prometheus: prom('node_vmstat_oom_kill'),
  }),
]

function slab(state: string) {
  const help = 'Memory of the kernel by state.'
  return otelSum('system.memory.linux.slab.usage', 'By', { 'system.memory.linux.slab.state': state }, help)
}
