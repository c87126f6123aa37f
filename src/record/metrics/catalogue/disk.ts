/** A block device: /proc/diskstats. */
import { metricsOf, millisecondsPer, otelCounter, percentOfTime, perSecond, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('disk')

const helps: Readonly<Record<string, string>> = {
  'system.disk.operations': 'Reads and writes completed.',
  'system.disk.io': 'Bytes read and written.',
  'system.disk.operation_time': 'Time that reads and writes took, added up.',
}

export const DISK = [
  counter('reads', 'Reads completed.', {
    kept: perSecond('reads_per_second', 1),
    prometheus: prom('node_disk_reads_completed_total'),
    otel: directed('system.disk.operations', '{operation}', 'read'),
  }),
  counter('writes', 'Writes completed.', {
    kept: perSecond('writes_per_second', 1),
    prometheus: prom('node_disk_writes_completed_total'),
    otel: directed('system.disk.operations', '{operation}', 'write'),
  }),
  counter('read_bytes', 'Bytes read.', {
    kept: perSecond('read_bytes_per_second'),
    prometheus: prom('node_disk_read_bytes_total'),
    otel: directed('system.disk.io', 'By', 'read'),
  }),
  counter('written_bytes', 'Bytes written.', {
    kept: perSecond('written_bytes_per_second'),
    prometheus: prom('node_disk_written_bytes_total'),
    otel: directed('system.disk.io', 'By', 'write'),
  }),
  counter('read_time_seconds', 'Time that reads took, added up.', {
    kept: millisecondsPer('read_wait_ms', 'reads'),
    prometheus: prom('node_disk_read_time_seconds_total'),
    otel: directed('system.disk.operation_time', 's', 'read'),
  }),
  counter('write_time_seconds', 'Time that writes took, added up.', {
    kept: millisecondsPer('write_wait_ms', 'writes'),
    prometheus: prom('node_disk_write_time_seconds_total'),
    otel: directed('system.disk.operation_time', 's', 'write'),
  }),
  counter('io_time_seconds', 'Time in which something was under way.', {
    kept: percentOfTime('utilisation_percent'),
    prometheus: prom('node_disk_io_time_seconds_total'),
    otel: otelCounter('system.disk.io_time', 's'),
  }),
  counter('io_time_weighted_seconds', 'Time that reads and writes spent under way and waiting, added up.', {
    kept: perSecond('queue_length', 2),
    prometheus: prom('node_disk_io_time_weighted_seconds_total'),
  }),
  gauge('io_now', 'Reads and writes under way.', { kept: value('io_now'), prometheus: prom('node_disk_io_now') }),
]

function directed(name: string, unit: string, direction: string) {
  return otelCounter(name, unit, { 'disk.io.direction': direction }, helps[name])
}
