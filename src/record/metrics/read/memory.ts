/** Memory, swap and paging: /proc/meminfo and /proc/vmstat. */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'
import { numberAfter, times } from './text.ts'

export function memoryReader(files: Files): Reader {
  return {
    name: 'memory',
    read(): Part {
      const meminfo = files.text('/proc/meminfo') ?? ''
      const vmstat = files.text('/proc/vmstat') ?? ''
      const bytes = (key: string) => times(numberAfter(meminfo, key), 1024)
      const pages = (key: string) => numberAfter(vmstat, key)
      const [total, free, buffers, cached] = ['MemTotal', 'MemFree', 'Buffers', 'Cached'].map(bytes)
      const [swapTotal, swapFree] = ['SwapTotal', 'SwapFree'].map(bytes)
      return {
        host: known({
          memory_total_bytes: total,
          memory_available_bytes: bytes('MemAvailable'),
          memory_free_bytes: free,
          memory_buffers_bytes: buffers,
          memory_cached_bytes: cached,
          memory_used_bytes: minus(total, (free ?? 0) + (buffers ?? 0) + (cached ?? 0)),
          memory_anonymous_bytes: bytes('AnonPages'),
          memory_shared_bytes: bytes('Shmem'),
          memory_slab_reclaimable_bytes: bytes('SReclaimable'),
          memory_slab_unreclaimable_bytes: bytes('SUnreclaim'),
          memory_page_tables_bytes: bytes('PageTables'),
          memory_dirty_bytes: bytes('Dirty'),
          memory_writeback_bytes: bytes('Writeback'),
          memory_committed_bytes: bytes('Committed_AS'),
          swap_total_bytes: swapTotal,
          swap_free_bytes: swapFree,
          swap_used_bytes: minus(swapTotal, swapFree),
          swap_in_pages: pages('pswpin'),
          swap_out_pages: pages('pswpout'),
          major_faults: pages('pgmajfault'),
          oom_kills: pages('oom_kill'),
        }),
      }
    },
  }
}

function minus(number: number | undefined, other: number | undefined): number | undefined {
  return number === undefined || other === undefined ? undefined : number - other
}
