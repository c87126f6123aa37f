/** How the files beside this one say what they say in one line each. */
import type { Kept, Metric, Named, Subject } from '../metric.ts'

type Otel = NonNullable<Metric['otel']>
type Uses = Pick<Metric, 'kept' | 'prometheus' | 'otel'>

/** A metric of `subject`: its name, what it is for people, and its uses. */
export function metricsOf(subject: Subject) {
  const define =
    (kind: Metric['kind']) =>
    (name: string, help: string, uses: Uses): Metric => ({ subject, name, kind, help, ...uses })
  return { counter: define('counter'), gauge: define('gauge') }
}

/** Name and labels for Prometheus; `help` where several numbers share the name. */
export function prom(name: string, labels?: Named['labels'], help?: string): Named {
  return { name, ...(labels && { labels }), ...(help !== undefined && { help }) }
}

/** Name, unit and attributes for OpenTelemetry; `help` where several numbers share the name. */
export function otelCounter(name: string, unit: string, labels?: Named['labels'], help?: string): Otel {
  return { ...prom(name, labels, help), unit, instrument: 'counter' }
}

/** For what can be added up over its attributes: bytes in each state. */
export function otelSum(name: string, unit: string, labels?: Named['labels'], help?: string): Otel {
  return { ...prom(name, labels, help), unit, instrument: 'updowncounter' }
}

export function otelGauge(name: string, unit: string, labels?: Named['labels'], help?: string): Otel {
  return { ...prom(name, labels, help), unit, instrument: 'gauge' }
}

/** The gauge as it is. */
export function value(column: string, digits = 0): Kept {
  return { column, as: 'value', digits }
}

/** A ratio as percent. */
export function percentValue(column: string): Kept {
  return { column, as: 'value', factor: 100, digits: 1 }
}

/** By how much the counter grew since the sample before. */
export function increase(column: string, digits = 0): Kept {
  return { column, as: 'increase', digits }
}

export function perSecond(column: string, digits = 0): Kept {
  return { column, as: 'rate', digits }
}

/** Of seconds: percent of the time; of a container's CPU seconds: percent of one CPU. */
export function percentOfTime(column: string): Kept {
  return { column, as: 'rate', factor: 100, digits: 1 }
}

/** Of CPU seconds: percent of all CPUs of the machine. */
export function percentOfCpus(column: string): Kept {
  return { column, as: 'rate-per-cpu', factor: 100, digits: 1 }
}

/** Of seconds: milliseconds for each of what `per` counts. */
export function millisecondsPer(column: string, per: string): Kept {
  return { column, as: { per }, factor: 1000, digits: 2 }
}
