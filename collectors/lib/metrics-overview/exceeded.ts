/** Where a line is over a limit, and how that is said. No I/O. */
import { endOf, peakOf, spansWhere } from './grid.ts'
import type { Grid, Line, Span } from './types.ts'
import { amount, clock, duration } from './units.ts'

/** Percent. Of `max` one sample is enough; `avg` has to be there for so long, all in all. */
export type Limit = { readonly max: number } | { readonly avg: number; readonly forMs: number }

export interface Exceeded {
  readonly spans: readonly Span[]
  /** The step with the highest value. */
  readonly step: number
  /** `98 % at 02:13, over 95 % for 12 min` */
  readonly said: string
}

export function exceeded(line: Line | undefined, limit: Limit, grid: Grid): Exceeded | undefined {
  if (!line) return undefined
  const isMax = 'max' in limit
  const over = isMax ? limit.max : limit.avg
  const values = isMax ? line.max : line.avg
  const spans = spansWhere(values, grid, (value) => value >= over)
  if (spans.length === 0 || (!isMax && together(spans) < limit.forMs)) return undefined
  const { value, step } = peakOf(values)!
  const lasting = together(spansWhere(line.avg, grid, (average) => average >= over))
  const still = spans.at(-1)!.toMs >= endOf(grid) ? ', and still' : ''
  const howLong = lasting === 0 ? 'for a moment' : `over ${over} % for ${duration(lasting)}${still}`
  return { spans, step, said: `${amount(value, 'percent')} at ${clockOf(grid, timeOf(grid, step))}, ${howLong}` }
}

export const timeOf = ({ sinceMs, stepMs }: Grid, step: number): number => sinceMs + step * stepMs

/** With the day, where hours come twice. */
export function clockOf(grid: Grid, timeMs: number): string {
  return clock(timeMs, endOf(grid) - grid.sinceMs > DAY_MS)
}

/** And what a step is longer. */
const DAY_MS = 24.5 * 3_600_000

function together(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}
