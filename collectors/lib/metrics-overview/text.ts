/** metrics/overview.txt: what stood out, and the main numbers as they are now, were lately, and at their highest. No I/O. */
import { fitted } from '../boot-timeline/fitted.ts'
import { table } from '../proc-text.ts'
import { clockOf, timeOf } from './exceeded.ts'
import { endOf, lastOf, meanOf, peakOf } from './grid.ts'
import type { Drawn } from './panel.ts'
import { panelsOf } from './panels.ts'
import { happenedIn, remarksOf } from './remarks.ts'
import type { Line, Overview } from './types.ts'
import { amount, duration, type Unit } from './units.ts'

/** How far back the second picture has to reach. */
export const RECENT_MS = 3_600_000
const LATELY_MS = 300_000
/** Mounts, disks, containers: each. */
const MOST_THINGS = 12
/** A mount point may be as long as a path: every row would be. */
const NAME_CHARS = 40

/** `recent` is the last hour of the same, in finer steps. */
export function overviewText(overview: Overview, recent: Overview): string {
  const { node, bootId, grid, notes } = overview
  const [from, to] = [grid.sinceMs, endOf(grid)].map((ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' '))
  const span = duration(endOf(grid) - grid.sinceMs)
  const remarks = [...remarksOf(overview), ...happenedIn(overview)]
  const said = remarks.map((remark) => `${remark.severity === 'bad' ? '!' : '-'} ${remark.what}: ${remark.said}`)
  const rows = rowsOf(overview, recent)
  const titles = ['', '', '>now', '>5 min', '>1 h', `>${span}`, '>highest', 'at']
  return [
    `${node}, boot ${bootId}: ${span} from ${from} to ${to} UTC. 5 min, 1 h, ${span}: averages. overview.svg draws it, metrics.db has all.`,
    '',
    ...(rows.length === 0 ? ['Nothing was measured in this time.'] : said.length === 0 ? ['Nothing stood out.'] : said),
    ...(rows.length === 0 ? [] : ['', table(titles, rows).trimEnd()]),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
  ].join('\n')
}

function rowsOf(overview: Overview, recent: Overview): string[][] {
  const panels = panelsOf(recent, Infinity)
  return panelsOf(overview, MOST_THINGS).flatMap(({ id, title, unit, areas, lines }) => {
    const lately = panels.find((panel) => panel.id === id)
    const all = [...(lately?.areas ?? []), ...(lately?.lines ?? [])]
    return [...areas, ...lines].map((drawn, at) => {
      const recently = latelyOf(all.find(({ name }) => name === drawn.name)?.line, recent, unit)
      return [at === 0 ? title : '', fitted(drawn.name, NAME_CHARS), recently, wholeOf(drawn, overview, unit)].flat()
    })
  })
}

function latelyOf(line: Line | undefined, { grid }: Overview, unit: Unit): string[] {
  const values = line?.avg ?? []
  const last = (ms: number) => meanOf(values.slice(-Math.ceil(ms / grid.stepMs)))
  return [lastOf(values), last(LATELY_MS), last(RECENT_MS)].map((value) => told(value, unit))
}

function wholeOf({ line }: Drawn, { grid }: Overview, unit: Unit): string[] {
  const peak = peakOf(line.max)
  const isFlat = line.min.every((value) => value === null || value === peak?.value)
  const when = peak && !isFlat ? clockOf(grid, timeOf(grid, peak.step)) : ''
  return [told(meanOf(line.avg), unit), told(peak?.value, unit), when]
}

const told = (value: number | undefined, unit: Unit): string => (value === undefined ? '-' : amount(value, unit))
