/** The time axis in equal steps, and numbers on it. No I/O. */
import type { MeasuredColumn, MeasuredSeries } from '../../../src/collector.ts'
import type { Grid, Line, Span } from './types.ts'

/** As many as the picture has room for: two pixels each. */
const MOST_STEPS = 480
const STEPS_S = [10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400]

export function gridOf(sinceMs: number, untilMs: number): Grid {
  const stepMs = stepFor(untilMs - sinceMs)
  const beginMs = Math.floor(sinceMs / stepMs) * stepMs
  return { sinceMs: beginMs, stepMs, steps: Math.min(MOST_STEPS + 1, Math.ceil((untilMs - beginMs) / stepMs)) }
}

/** Of spans that are longer than any of these divides, days. */
function stepFor(spanMs: number): number {
  const step = STEPS_S.find((seconds) => seconds * 1000 * MOST_STEPS >= spanMs)
  return (step ?? Math.ceil(spanMs / MOST_STEPS / 86_400_000) * 86_400) * 1000
}

export const endOf = ({ sinceMs, stepMs, steps }: Grid): number => sinceMs + steps * stepMs

const indexOf = ({ sinceMs, stepMs }: Grid, timeMs: number): number => Math.floor((timeMs - sinceMs) / stepMs)

/**
 * The column on the grid. Where samples are further apart than steps, one holds until the next; for `holdMs` at most, beyond that
 * nothing is known.
 */
export function lineOf(series: MeasuredSeries, column: string, grid: Grid, holdMs: number): Line | undefined {
  const found = series.columns[column]
  if (!found?.avg.some((value) => value !== null)) return undefined
  const holder = heldBy(series.timesMs, grid, holdMs)
  const onGrid = (key: keyof MeasuredColumn) => holder.map((at) => (at < 0 ? null : (found[key][at] ?? null)))
  return { avg: onGrid('avg'), min: onGrid('min'), max: onGrid('max') }
}

/** For each step the sample that is shown there, −1 where none is. */
function heldBy(timesMs: readonly number[], grid: Grid, holdMs: number): number[] {
  const held = Array.from({ length: grid.steps }, () => -1)
  for (const [at, timeMs] of timesMs.entries()) {
    const from = indexOf(grid, timeMs)
    const next = timesMs[at + 1]
    const isNear = next !== undefined && next - timeMs <= holdMs
    const to = isNear ? indexOf(grid, next) : from + 1
    for (let step = Math.max(0, from); step < Math.min(grid.steps, Math.max(to, from + 1)); step += 1) held[step] = at
  }
  return held
}

/** How far apart samples are as a rule: the distance that is in the middle of all. */
export function usualDistance(timesMs: readonly number[], otherwise: number): number {
  const distances = timesMs.slice(1).map((timeMs, at) => timeMs - timesMs[at]!)
  return distances.toSorted((a, b) => a - b)[Math.floor(distances.length / 2)] ?? otherwise
}

/** Where a value is there for which that is true: spans, those with less than two steps between them as one. */
export function spansWhere(
  values: readonly (number | null)[],
  grid: Grid,
  isMeant: (value: number) => boolean,
): readonly Span[] {
  const spans: Span[] = []
  for (const [at, value] of values.entries()) {
    if (value === null || !isMeant(value)) continue
    const fromMs = grid.sinceMs + at * grid.stepMs
    const last = spans.at(-1)
    if (last && fromMs - last.toMs <= grid.stepMs) spans.splice(-1, 1, { ...last, toMs: fromMs + grid.stepMs })
    else spans.push({ fromMs, toMs: fromMs + grid.stepMs })
  }
  return spans
}

/** Of each step; null where none of them is known. */
export function summed(lines: readonly (Line | undefined)[]): Line | undefined {
  const known = lines.filter((line) => line !== undefined)
  if (known.length < 2) return known[0]
  const sum = (key: keyof Line) =>
    known[0]![key].map((_, at) =>
      known.reduce<number | null>((total, line) => {
        const value = line[key][at] ?? null
        return value === null ? total : (total ?? 0) + value
      }, null),
    )
  return { avg: sum('avg'), min: sum('min'), max: sum('max') }
}

/** One line made of others, step by step; null where one of them is not known. */
export function combined(lines: readonly Line[], make: (...values: number[]) => number): Line {
  const onEach = (key: keyof Line) =>
    lines[0]!.avg.map((_, at) => {
      const values = lines.map((line) => line[key][at] ?? null)
      return values.includes(null) ? null : make(...(values as number[]))
    })
  return { avg: onEach('avg'), min: onEach('min'), max: onEach('max') }
}

export interface Peak {
  readonly value: number
  /** In which step. */
  readonly step: number
}

/** The highest, and where it was reached first. */
export function peakOf(values: readonly (number | null)[]): Peak | undefined {
  let step = -1
  for (const [at, value] of values.entries()) if (value !== null && (step < 0 || value > values[step]!)) step = at
  return step < 0 ? undefined : { value: values[step]!, step }
}

export function meanOf(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}

export function lastOf(values: readonly (number | null)[]): number | undefined {
  return values.findLast((value) => value !== null) ?? undefined
}
