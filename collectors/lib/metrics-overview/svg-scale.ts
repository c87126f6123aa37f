/** Times across the picture, and the marks of its axis. No I/O. */
import { text } from '../boot-timeline/svg-text.ts'
import { endOf } from './grid.ts'
import { LEFT_PX, PLOT_PX } from './svg-style.ts'
import type { Grid } from './types.ts'
import { clock } from './units.ts'

export interface Scale {
  /** Within the plot. */
  readonly x: (timeMs: number) => number
  readonly xOfStep: (step: number) => number
}

export function scaleOf({ sinceMs, stepMs, steps }: Grid): Scale {
  const xOfStep = (step: number) => LEFT_PX + (Math.min(Math.max(step, 0), steps) / steps) * PLOT_PX
  return { xOfStep, x: (timeMs) => xOfStep((timeMs - sinceMs) / stepMs) }
}

export function tickLines(grid: Grid, { x }: Scale, top: number, bottom: number): string {
  const lines = ticksOf(grid).map(({ timeMs }) => `M${x(timeMs).toFixed(1)} ${top}V${bottom}`)
  return `<path class="grid" d="${lines.join('')}"/>`
}

export function tickLabels(grid: Grid, { x }: Scale, y: number): string {
  return ticksOf(grid)
    .map(({ timeMs, label }) => text(x(timeMs), y, label, 'tick'))
    .join('')
}

const MARKS = 13
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TICKS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080].map((minutes) => minutes * 60_000)

/** Round times of UTC. */
function ticksOf(grid: Grid): { readonly timeMs: number; readonly label: string }[] {
  const untilMs = endOf(grid)
  const span = untilMs - grid.sinceMs
  const tickMs = TICKS_MS.find((ms) => ms * MARKS >= span) ?? Math.ceil(span / MARKS / DAY_MS) * DAY_MS
  const ticks = []
  for (let ms = Math.ceil(grid.sinceMs / tickMs) * tickMs; ms <= untilMs; ms += tickMs) {
    // At midnight the day is worth more than the hour.
    const day = new Date(ms).toISOString().slice(5, 10)
    ticks.push({ timeMs: ms, label: ms % DAY_MS === 0 ? day : clock(ms) })
  }
  return ticks
}
