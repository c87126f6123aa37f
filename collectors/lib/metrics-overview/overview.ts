/** Asks for what was measured and what happened, and puts both on one axis of time. No I/O but the kit's. */
import type { Kit, Measured, MeasuredSeries, RecordedEvent } from '../../../src/collector.ts'
import { gapsOf } from './gaps.ts'
import { endOf, gridOf, lineOf, usualDistance } from './grid.ts'
import { happeningsOf } from './happenings.ts'
import type { Grid, Line, Overview, Subject, Thing } from './types.ts'
import { WANTED } from './wanted.ts'

/** Wanted at least, around a window of minutes: what led to it. */
const LEAST_MS = 3_600_000
/** In less than this there are a handful of samples. */
const SHORTEST_MS = 60_000
const MOST_EVENTS = 1000

export type OverviewKit = Pick<Kit, 'metrics' | 'events' | 'host'>

/** Of the window, or of the last `lastMs` of it. */
export async function overviewOf({ metrics, events, host }: OverviewKit, lastMs = Infinity): Promise<Overview> {
  const { untilMs } = metrics.window
  const sinceMs = Math.max(Math.min(metrics.window.sinceMs, untilMs - LEAST_MS), untilMs - lastMs)
  const { measured, grid } = await measuredOn(metrics, sinceMs, untilMs)
  const recorded = await events.newest({ level: 'error', limit: MOST_EVENTS }).catch((error: Error) => error)
  const found = recorded instanceof Error ? [] : recorded
  const shown = isWithin(grid)
  const notes = [
    ...(recorded instanceof Error ? [`Events are not shown: ${recorded.message}`] : []),
    ...(found.length === MOST_EVENTS && shown(found.at(-1)!)
      ? [`Of more than ${MOST_EVENTS} errors the newest are shown.`]
      : []),
    ...(measured.leftOut > 0
      ? [`Left out: ${measured.leftOut} mounts, disks, containers or processes with lower numbers.`]
      : []),
  ]
  return {
    node: host.node,
    bootId: host.bootId,
    grid,
    ...thingsOf(measured, grid),
    gaps: gapsOf(measured, grid),
    happenings: happeningsOf(found.filter(shown), measured.marks, grid),
    notes,
  }
}

/** Where there is less than what was asked for, it is asked again in finer steps. */
async function measuredOn(metrics: Kit['metrics'], sinceMs: number, untilMs: number) {
  const ask = ({ sinceMs: from, stepMs }: Grid) => metrics.range({ sinceMs: from, untilMs, stepMs, columns: WANTED })
  const whole = gridOf(sinceMs, untilMs)
  const measured = await ask(whole)
  const grid = gridFor(measured, sinceMs, untilMs)
  if (grid.stepMs === whole.stepMs) return { measured, grid }
  const finer = await ask(grid)
  const closer = gridFor(finer, sinceMs, untilMs)
  return { measured: finer, grid: closer.stepMs === grid.stepMs ? closer : grid }
}

/** From where measuring began, if that is later than what was asked for. */
function gridFor({ series, marks }: Measured, sinceMs: number, untilMs: number): Grid {
  const times = [...series.map(({ timesMs }) => timesMs[0]), ...marks.map(({ fromMs }) => fromMs)]
  const firstMs = Math.min(...times.filter((timeMs) => timeMs !== undefined))
  const beginMs = Number.isFinite(firstMs) ? Math.max(sinceMs, firstMs) : sinceMs
  return gridOf(Math.min(beginMs, untilMs - SHORTEST_MS), untilMs)
}

const isWithin =
  (grid: Grid) =>
  ({ timeMs }: RecordedEvent): boolean =>
    timeMs >= grid.sinceMs && timeMs <= endOf(grid)

function thingsOf({ series }: Measured, grid: Grid): Pick<Overview, 'host' | 'things'> {
  const bySubject = Map.groupBy(series, ({ subject }) => subject)
  const nothing: MeasuredSeries = { subject: 'host', labels: {}, timesMs: [], samples: [], columns: {} }
  const host = thingOf(bySubject.get('host')?.[0] ?? nothing, grid)
  const things = new Map<string, readonly Thing[]>()
  for (const [subject, all] of bySubject)
    things.set(
      subject,
      all.map((one) => thingOf(one, grid)),
    )
  return { host, things: (subject: Subject) => things.get(subject) ?? [] }
}

/** Samples further apart than this are not joined. */
const HOLD = 2.5

function thingOf(series: MeasuredSeries, grid: Grid): Thing {
  const holdMs = HOLD * Math.max(grid.stepMs, usualDistance(series.timesMs, grid.stepMs))
  const lines = new Map<string, Line | undefined>()
  return {
    name: nameOf(series),
    labels: series.labels,
    line(column) {
      if (!lines.has(column)) lines.set(column, lineOf(series, column, grid, holdMs))
      return lines.get(column)
    },
    counted: (column) =>
      series.timesMs.flatMap((timeMs, at) => {
        const count = Math.round((series.columns[column]?.avg[at] ?? 0) * series.samples[at]!)
        return count > 0 ? [{ timeMs, count }] : []
      }),
  }
}

function nameOf({ subject, labels }: MeasuredSeries): string {
  const { mountpoint, device, name, pid, id } = labels
  if (subject === 'mount') return mountpoint ?? device ?? ''
  if (subject === 'container') return name ?? id ?? ''
  if (subject === 'process') return `${name ?? '?'} (${pid ?? '?'})`
  return device ?? ''
}
