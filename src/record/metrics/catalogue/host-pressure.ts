/**
 * Pressure (PSI): the share of time in which tasks waited for CPU, memory or I/O: some of them, or all (full) at once. For
 * the CPU of a whole machine "full" means nothing, the kernel says 0: it is not here.
 */
import { metricsOf, otelCounter, otelGauge, percentOfTime, prom } from './define.ts'

const { counter, gauge } = metricsOf('host')
const time = 'Time in which some or all tasks waited for a resource.'
const average = 'Share of the last 10 s in which some or all tasks waited for a resource.'
const RESOURCES = { cpu: 'a CPU', memory: 'memory', io: 'a disk' } as const

/** node_exporter calls what some wait for waiting, and what all wait for stalled. */
const kinds = { some: ['some tasks waited', 'waiting'], full: ['all tasks waited', 'stalled'] } as const

export const HOST_PRESSURE = Object.entries(RESOURCES).flatMap(([resource, whatFor]) =>
  Object.entries(kinds)
    .filter(([kind]) => resource !== 'cpu' || kind === 'some')
    .flatMap(([kind, [who, name]]) => {
      const attributes = { 'diagd.pressure.resource': resource, 'diagd.pressure.kind': kind }
      return [
        counter(`pressure_${resource}_${kind}_seconds`, `Time in which ${who} for ${whatFor}.`, {
          kept: percentOfTime(`pressure_${resource}_${kind}_percent`),
          prometheus: prom(`node_pressure_${resource}_${name}_seconds_total`),
          otel: otelCounter('diagd.pressure.time', 's', attributes, time),
        }),
        gauge(`pressure_${resource}_${kind}_avg10_ratio`, `Share of the last 10 s in which ${who} for ${whatFor}.`, {
          prometheus: prom('diagd_pressure_avg10_ratio', { resource, kind }, average),
          otel: otelGauge('diagd.pressure.avg10', '1', attributes, average),
        }),
      ]
    }),
)
