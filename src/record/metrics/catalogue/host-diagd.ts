/** diagd itself, and what it leaves out. Prometheus' names for processes are those of its client libraries. */
import { metricsOf, otelCounter, otelGauge, otelSum, percentOfTime, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('host')
const leftOut = 'Things of each kind beyond the most that are looked at.'

export const HOST_DIAGD = [
  counter('diagd_cpu_seconds', 'CPU time of diagd, without its children.', {
    kept: percentOfTime('diagd_cpu_percent'),
    prometheus: prom('process_cpu_seconds_total'),
    otel: otelCounter('process.cpu.time', 's'),
  }),
  gauge('diagd_resident_bytes', 'Memory of diagd.', {
    kept: value('diagd_resident_bytes'),
    prometheus: prom('process_resident_memory_bytes'),
    otel: otelSum('process.memory.usage', 'By'),
  }),
  gauge('diagd_virtual_bytes', 'Address space of diagd.', {
    prometheus: prom('process_virtual_memory_bytes'),
    otel: otelSum('process.memory.virtual', 'By'),
  }),
  gauge('diagd_open_files', 'Open files of diagd.', {
    kept: value('diagd_open_files'),
    prometheus: prom('process_open_fds'),
    otel: otelSum('process.unix.file_descriptor.count', '{file_descriptor}'),
  }),
  gauge('diagd_open_files_limit', 'Open files diagd may have.', { prometheus: prom('process_max_fds') }),
  gauge('diagd_start_time_seconds', 'When diagd was started, seconds since 1970.', {
    prometheus: prom('process_start_time_seconds'),
  }),
  gauge('diagd_event_loop_delay_seconds', 'How late the event loop of diagd was, at most, since the sample before.', {
    kept: { column: 'diagd_event_loop_delay_ms', as: 'value', factor: 1000, digits: 1 },
    prometheus: prom('diagd_event_loop_delay_max_seconds'),
    otel: otelGauge('nodejs.eventloop.delay.max', 's'),
  }),
  gauge('diagd_sample_cpu_seconds', 'CPU time that reading all this took.', {
    kept: { column: 'diagd_sample_cpu_ms', as: 'value', factor: 1000, digits: 2 },
    prometheus: prom('diagd_sample_cpu_seconds'),
  }),
  gauge('diagd_sample_duration_seconds', 'Time that reading all this took.', {
    kept: { column: 'diagd_sample_duration_ms', as: 'value', factor: 1000, digits: 2 },
    prometheus: prom('diagd_sample_duration_seconds'),
  }),
  ...['mount', 'disk', 'interface', 'container', 'cpu', 'process'].map((subject) =>
    gauge(`left_out_${subject}_count`, `Things of kind ${subject} beyond the most that are looked at.`, {
      kept: value(`left_out_${subject}_count`),
      prometheus: prom('diagd_left_out', { subject }, leftOut),
    }),
  ),
]
