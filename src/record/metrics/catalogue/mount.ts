/** Space and inodes of a mounted file system: statfs(2). */
import { metricsOf, otelSum, prom, value } from './define.ts'

const { gauge } = metricsOf('mount')

export const MOUNT = [
  gauge('size_bytes', 'Size.', {
    kept: value('size_bytes'),
    prometheus: prom('node_filesystem_size_bytes'),
    otel: otelSum('system.filesystem.limit', 'By'),
  }),
  gauge('used_bytes', 'Space in use.', { kept: value('used_bytes'), otel: usage('used') }),
  gauge('available_bytes', 'Space that users other than root can have.', {
    kept: value('available_bytes'),
    prometheus: prom('node_filesystem_avail_bytes'),
    otel: usage('free'),
  }),
  gauge('free_bytes', 'Space that is free, with what is reserved for root.', {
    prometheus: prom('node_filesystem_free_bytes'),
  }),
  gauge('reserved_bytes', 'Free space that is reserved for root.', { otel: usage('reserved') }),
  gauge('inodes', 'Inodes; missing where the file system makes them as it needs them.', {
    kept: value('inodes'),
    prometheus: prom('node_filesystem_files'),
  }),
  gauge('inodes_free', 'Inodes that are free.', {
    kept: value('inodes_free'),
    prometheus: prom('node_filesystem_files_free'),
  }),
  gauge('readonly', '1 if it cannot be written to.', {
    kept: value('readonly'),
    prometheus: prom('node_filesystem_readonly'),
  }),
  gauge('device_error', '1 if its numbers could not be had.', { prometheus: prom('node_filesystem_device_error') }),
]

function usage(state: string) {
  return otelSum('system.filesystem.usage', 'By', { 'system.filesystem.state': state }, 'Space by state.')
}
