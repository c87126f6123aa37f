/**
 * The contract of metrics: what is measured of what, and how a number goes from /proc to a table, to Prometheus and to
 * OpenTelemetry. Types only.
 *
 *     read (counters and gauges of this moment) → Reading → served: Prometheus text, OTLP
 *                                                  └ with the one before → Sample → kept: metrics.db
 */

/** What rows are about. Each that is kept has tables of its own. */
export const SUBJECTS = ['host', 'cpu', 'mount', 'disk', 'interface', 'container', 'process'] as const
export type Subject = (typeof SUBJECTS)[number]

/** One number that is measured. The catalogue lists all; everything about a number is decided there. */
export interface Metric {
  readonly subject: Subject
  /** Its key in a reading: snake_case in base units, the unit last: `receive_bytes`, `pressure_io_full_seconds`. */
  readonly name: string
  /** A counter only grows until the machine, the device or the container is started anew; a gauge is what it is now. */
  readonly kind: 'counter' | 'gauge'
  /** A sentence for people: "Bytes received." */
  readonly help: string
  /** undefined: served, and not kept. */
  readonly kept?: Kept
  /** undefined: kept, and not served. node_exporter's and cAdvisor's names where the meaning is the same, so that dashboards fit. */
  readonly prometheus?: Named
  /** By OpenTelemetry's semantic conventions where they have it; undefined: not exported. */
  readonly otel?: Named & { readonly unit: string; readonly instrument: 'counter' | 'updowncounter' | 'gauge' }
}

export interface Named {
  readonly name: string
  /** Where several numbers share the name and differ in labels: the same sentence about all of them in each. */
  readonly help?: string
  /** Besides those of the subject. */
  readonly labels?: Readonly<Record<string, string>>
}

export interface Kept {
  /** Column in metrics.db, its unit last: `cpu_user_percent`, `receive_bytes_per_second`, `write_wait_ms`. */
  readonly column: string
  /**
   * How the column comes from the number: the gauge itself; the increase since the sample before; that per second; that
   * per second and CPU of the machine; that per increase of another counter of the same row (milliseconds per write).
   */
  readonly as: 'value' | 'increase' | 'rate' | 'rate-per-cpu' | { readonly per: string }
  /** 100 for percent, 1000 for milliseconds. Default 1. */
  readonly factor?: number
  /** Decimals that are kept: a measurement has no more than three or four significant digits. Default 0. */
  readonly digits?: number
}

/** What was read of one thing: a mount, a disk, a container. */
export interface ReadingRow {
  readonly subject: Subject
  /** What tells it from others of its kind (catalogue/labels.ts lists the keys); {} for the host. Bounded by the reader. */
  readonly labels: Readonly<Record<string, string>>
  /** By the names of the catalogue; what this machine does not tell is missing. */
  readonly values: Readonly<Record<string, number>>
  /** Why it tells less than it might: the mount does not answer. */
  readonly problem?: string
}

/** One look at the machine. */
export interface Reading {
  /** Wall clock, milliseconds since 1970. */
  readonly timeMs: number
  /** CLOCK_MONOTONIC, milliseconds: stands still while the machine is suspended. */
  readonly monotonicMs: number
  /** CLOCK_BOOTTIME, milliseconds: goes on while it is suspended. */
  readonly boottimeMs: number
  readonly bootId: string
  readonly rows: readonly ReadingRow[]
  /** What the reading itself took: CPU and wall, milliseconds. */
  readonly costMs: { readonly cpu: number; readonly wall: number }
}

/** What becomes of two readings: a row each for the tables, and marks for what happened to time in between. */
export interface Sample {
  readonly timeMs: number
  readonly monotonicMs: number
  readonly bootId: string
  /** From the reading before to this one; undefined for the first one of a boot and after a break: then nothing is told per second. */
  readonly intervalMs: number | undefined
  readonly rows: readonly SampleRow[]
  readonly marks: readonly Mark[]
}

export interface SampleRow {
  readonly subject: Exclude<Subject, 'cpu'>
  readonly labels: Readonly<Record<string, string>>
  /** By the columns of the catalogue; what is not known is missing. */
  readonly columns: Readonly<Record<string, number>>
  readonly problem?: string
}

/** Why the numbers on its two sides cannot be compared, or what is missing between them. */
export interface Mark {
  readonly kind: 'diagd-started' | 'boot' | 'suspended' | 'clock-set' | 'late' | 'paused'
  /** Milliseconds since 1970, as the clock was then. Of `clock-set`: before and after. */
  readonly fromMs: number
  readonly toMs: number
  /** A sentence for people. */
  readonly message: string
}
