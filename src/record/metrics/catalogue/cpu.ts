/** Each CPU: served only. Thousands of rows a day for each of 64 CPUs would drown the rest of metrics.db. */
import { metricsOf, otelCounter, prom } from './define.ts'

const { counter } = metricsOf('cpu')
const help = 'Seconds the CPU spent in each mode.'

/** Modes of /proc/stat in its order; `user` and `nice` contain what guests took. */
export const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const

/** OpenTelemetry knows no two kinds of interrupt: there they are one number. */
const otelModes: ReadonlySet<string> = new Set(['user', 'nice', 'system', 'idle', 'iowait', 'steal'])

export const CPU = [
  ...CPU_MODES.map((mode) =>
    counter(`${mode}_seconds`, `Seconds in mode ${mode}.`, {
      prometheus: prom('node_cpu_seconds_total', { mode }, help),
      ...(otelModes.has(mode) && { otel: otelCounter('system.cpu.time', 's', { 'cpu.mode': mode }, help) }),
    }),
  ),
  counter('interrupt_seconds', 'Seconds in interrupts, hard and soft.', {
    otel: otelCounter('system.cpu.time', 's', { 'cpu.mode': 'interrupt' }, help),
  }),
]
