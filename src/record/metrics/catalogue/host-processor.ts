/** Load, CPUs as a whole, what the scheduler counts. */
import { metricsOf, otelCounter, otelGauge, otelSum, percentOfCpus, perSecond, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('host')

/** What goes where is decided here once: interrupts of both kinds are one number. */
const modes = {
  user: 'in programs',
  nice: 'in programs of low priority',
  system: 'in the kernel',
  interrupt: 'in interrupts, hard and soft',
  iowait: 'idle, while something waited for a disk',
  steal: 'taken by the hypervisor for other machines',
  idle: 'idle',
}

export const HOST_PROCESSOR = [
  ...[1, 5, 15].map((minutes) =>
    gauge(`load_${minutes}`, `Load average of ${minutes} min: tasks that run, want to run or wait uninterruptibly.`, {
      kept: value(`load_${minutes}`, 2),
      prometheus: prom(`node_load${minutes}`),
      otel: otelGauge(`system.cpu.load_average.${minutes}m`, '{thread}'),
    }),
  ),
  gauge('cpu_count', 'CPUs that are online.', {
    kept: value('cpu_count'),
    prometheus: prom('machine_cpu_cores'),
    otel: otelSum('system.cpu.logical.count', '{cpu}'),
  }),
  ...Object.entries(modes).map(([mode, where]) =>
    counter(`cpu_${mode}_seconds`, `Time ${where}, of all CPUs.`, { kept: percentOfCpus(`cpu_${mode}_percent`) }),
  ),
  counter('context_switches', 'Context switches.', {
    kept: perSecond('context_switches_per_second'),
    prometheus: prom('node_context_switches_total'),
  }),
  counter('interrupts', 'Interrupts serviced.', {
    kept: perSecond('interrupts_per_second'),
    prometheus: prom('node_intr_total'),
  }),
  counter('forks', 'Processes and threads that were started.', {
    kept: perSecond('forks_per_second', 1),
    prometheus: prom('node_forks_total'),
    otel: otelCounter('system.process.created', '{process}'),
  }),
  gauge('tasks_running', 'Tasks that run or want to run.', {
    kept: value('tasks_running'),
    prometheus: prom('node_procs_running'),
  }),
  gauge('tasks_blocked', 'Tasks that wait for a disk.', {
    kept: value('tasks_blocked'),
    prometheus: prom('node_procs_blocked'),
  }),
]
