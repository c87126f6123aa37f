/** Processes by state, files, time. */
import { metricsOf, otelGauge, otelSum, prom, value } from './define.ts'

const { gauge } = metricsOf('host')
const help = 'Processes by state.'

/** Letters of proc_pid_stat(5); OpenTelemetry has four words for them and lets one add others. */
export const PROCESS_STATES = {
  R: ['running', 'running', 'that run or want to run'],
  S: ['sleeping', 'sleeping', 'that wait for something'],
  D: ['uninterruptible', 'uninterruptible', 'that wait for a disk or a dead mount, and cannot be killed'],
  Z: ['zombie', 'defunct', 'that ended, and whose parent has not asked how'],
  T: ['stopped', 'stopped', 'that were stopped'],
  t: ['traced', 'traced', 'that a debugger holds'],
  I: ['idle', 'idle', 'of the kernel that are idle'],
} as const

export const HOST_SYSTEM = [
  gauge('processes', 'Processes.', { kept: value('processes'), prometheus: prom('node_processes_pids') }),
  ...Object.entries(PROCESS_STATES).map(([state, [name, otelState, which]]) =>
    gauge(`processes_${name}`, `Processes ${which}.`, {
      kept: value(`processes_${name}`),
      prometheus: prom('node_processes_state', { state }, help),
      otel: otelSum('system.process.count', '{process}', { 'process.state': otelState }, help),
    }),
  ),
  gauge('threads', 'Threads of all processes.', { kept: value('threads'), prometheus: prom('node_processes_threads') }),
  gauge('file_descriptors', 'Open files, as the kernel counts them.', {
    kept: value('file_descriptors'),
    prometheus: prom('node_filefd_allocated'),
  }),
  gauge('file_descriptors_limit', 'Open files it allows.', {
    kept: value('file_descriptors_limit'),
    prometheus: prom('node_filefd_maximum'),
  }),
  gauge('boot_time_seconds', 'When the machine was started, seconds since 1970.', {
    prometheus: prom('node_boot_time_seconds'),
  }),
  gauge('time_seconds', 'The clock when this was read, seconds since 1970.', { prometheus: prom('node_time_seconds') }),
  gauge('uptime_seconds', 'Since the machine was started.', {
    kept: value('uptime_seconds'),
    otel: otelGauge('system.uptime', 's'),
  }),
]
