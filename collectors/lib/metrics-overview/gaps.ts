/** Where numbers are missing, and why. No I/O. */
import type { Measured } from '../../../src/collector.ts'
import { endOf, usualDistance } from './grid.ts'
import type { Gap, Grid, Span } from './types.ts'
import { duration } from './units.ts'

/** What a mark says of the time it covers, the surest first; one of another kind covers none. */
const REASONS: Readonly<Record<string, string>> = {
  boot: 'rebooted',
  suspended: 'suspended',
  'diagd-started': 'diagd not running',
  'clock-set': 'clock set forward',
  paused: 'not measured',
  late: 'measured late',
  unknown: 'no samples',
}
const SUREST = Object.keys(REASONS)

/** Samples further apart than this are a gap, though nobody says why. */
const APART = 2.5
/** A restart of diagd takes some seconds. */
const SHORTEST_MS = 30_000

export function gapsOf(measured: Measured, grid: Grid): readonly Gap[] {
  const told = measured.marks
    .filter(({ kind, fromMs, toMs }) => kind in REASONS && toMs - fromMs >= SHORTEST_MS)
    .toSorted((a, b) => SUREST.indexOf(a.kind) - SUREST.indexOf(b.kind))
  const all = [...told, ...holes(measured, grid).map((hole) => Object.assign(hole, { kind: 'unknown' }))]
  return all
    .filter((one, at) => !all.slice(0, at).some((surer) => isTold(one, surer)))
    .map((one) => gap(one, grid, one.kind))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
}

/** Most of it is. */
function isTold(one: Span, surer: Span): boolean {
  return Math.min(one.toMs, surer.toMs) - Math.max(one.fromMs, surer.fromMs) > (one.toMs - one.fromMs) / 2
}

function gap({ fromMs, toMs }: Span, grid: Grid, kind: string): Gap {
  const label = `${REASONS[kind]} ${duration(toMs - fromMs)}`
  return { kind, fromMs: Math.max(fromMs, grid.sinceMs), toMs: Math.min(toMs, endOf(grid)), label }
}

function holes({ series }: Measured, grid: Grid): Span[] {
  const timesMs = series.find(({ subject }) => subject === 'host')?.timesMs ?? []
  if (timesMs.length === 0) return [{ fromMs: grid.sinceMs, toMs: endOf(grid) }]
  const aloneMs = Math.max(grid.stepMs, usualDistance(timesMs, grid.stepMs))
  const spans = timesMs.map((fromMs, at) => ({ fromMs: fromMs + grid.stepMs, toMs: timesMs[at + 1] ?? endOf(grid) }))
  // Before the first sample nothing is missing: there the picture begins, or a mark says what was before.
  return spans.filter(({ fromMs, toMs }) => toMs - fromMs > (APART - 1) * aloneMs)
}
