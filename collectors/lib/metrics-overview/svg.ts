/**
 * metrics/overview.svg: what the machine was busy with, as a picture. What stood out first, then what happened, then panels on one axis of
 * time. Light, no script, no font and nothing else from elsewhere; every text of the machine is escaped. No I/O.
 */
import { fitted } from '../boot-timeline/fitted.ts'
import { escaped, text } from '../boot-timeline/svg-text.ts'
import { oneLine } from '../proc-text.ts'
import { endOf } from './grid.ts'
import { panelsOf } from './panels.ts'
import { happenedIn, remarksOf } from './remarks.ts'
import { laneOf, ROW_PX } from './svg-lane.ts'
import { panelGround, panelLines } from './svg-panel.ts'
import { scaleOf, tickLabels, tickLines, type Scale } from './svg-scale.ts'
import { GAP_PATTERN, STYLE, THING_COLOURS, WIDTH_PX } from './svg-style.ts'
import type { Gap, Overview, Remark, Thing } from './types.ts'
import { clock, duration } from './units.ts'
import { WANTED } from './wanted.ts'

const BETWEEN_PX = 18

export function overviewSvg(overview: Overview): string {
  const { grid, node, host } = overview
  const remarks = [...remarksOf(overview), ...happenedIn(overview)]
  const head = heading(overview, remarks)
  const { svg, endPx, notes } = isMeasured(host)
    ? drawing(overview, remarks, head.endPx)
    : { svg: '', endPx: head.endPx, notes: [] }
  const below = [...overview.notes, ...notes].map((note, at) => text(16, endPx + 20 + at * 16, note, 'faint'))
  const height = endPx + 24 + below.length * 16
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" width="${WIDTH_PX}" height="${height}" role="img">
<title>${escaped(node)} until ${clock(endOf(grid), true)} UTC</title>
<style>${STYLE}</style>
<defs>${GAP_PATTERN}</defs>
<rect class="paper" width="100%" height="100%"/>
${[head.svg, svg, ...below].filter((part) => part !== '').join('\n')}
</svg>
`
}

function drawing(overview: Overview, remarks: readonly Remark[], fromPx: number) {
  const { grid, gaps, happenings } = overview
  const scale = scaleOf(grid)
  const lane = laneOf(happenings, gaps, scale)
  const laneTop = fromPx + 6
  const top = laneTop + lane.rows * ROW_PX + 24
  const placed = placedFrom(top, panelsOf(overview, MOST_THINGS))
  const bottom = placed.at(-1)!.y + placed.at(-1)!.panel.heightPx
  const isBad = (id: string) => remarks.some(({ panel, severity }) => panel === id && severity === 'bad')
  const svg = [
    tickLabels(grid, scale, top - 9),
    ...placed.map(({ panel, y }) => panelGround(panel, y, scale, remarks)),
    tickLines(grid, scale, top, bottom),
    ...gapBands(gaps, scale, top, bottom),
    ...placed.map(({ panel, y }) => panelLines(panel, y, scale, isBad(panel.id))),
    lane.draw(laneTop, bottom),
    tickLabels(grid, scale, bottom + 15),
  ]
  const notes =
    lane.unnamed > 0 ? [`Without a name here, for want of room: ${lane.unnamed}. events/recent.txt has all.`] : []
  return { svg: svg.join('\n'), endPx: bottom + 16, notes }
}

/** Mounts, disks, containers in one panel: the eye tells no more colours apart. */
const MOST_THINGS = THING_COLOURS.length

function placedFrom(top: number, panels: ReturnType<typeof panelsOf>) {
  let y = top
  return panels.map((panel) => {
    const placed = { panel, y }
    y += panel.heightPx + BETWEEN_PX
    return placed
  })
}

/** More lines hide what is below them; overview.txt has all. */
const MOST_REMARKS = 8
const REMARK_PX = 19
const REMARK_CHARS = 150

function heading({ node, bootId, grid, host }: Overview, remarks: readonly Remark[]) {
  const [from, to] = [grid.sinceMs, endOf(grid)].map((ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' '))
  const span = duration(endOf(grid) - grid.sinceMs)
  const about = `${from} to ${to} UTC · boot ${bootId} · steps of ${duration(grid.stepMs)}: the line is their average, the band from lowest to highest`
  const shown = remarks.slice(0, MOST_REMARKS)
  const more = remarks.length - shown.length
  const lines = shown.map((remark, at) => remarkLine(remark, 72 + at * REMARK_PX))
  const next = 72 + lines.length * REMARK_PX
  if (more > 0) lines.push(text(16, next, `… and ${more} more: overview.txt`, 'remark faint'))
  if (!isMeasured(host)) lines.push(text(16, next, 'Nothing was measured in this time.', 'remark odd'))
  else if (remarks.length === 0) lines.push(text(16, next, '✓  Nothing stood out.', 'remark good'))
  const svg = [text(16, 28, `${node}: ${span} until ${to} UTC`, 'title'), text(16, 47, about, 'faint'), ...lines]
  return { svg: svg.join('\n'), endPx: 72 + lines.length * REMARK_PX }
}

function remarkLine({ severity, what, said }: Remark, y: number): string {
  const first = `${severity === 'bad' ? '▲' : '●'}  ${what}: `
  const rest = fitted(oneLine(said), Math.max(20, REMARK_CHARS - first.length))
  return `<text class="remark ${severity}" x="16" y="${y}"><tspan class="what">${escaped(oneLine(first))}</tspan>${escaped(rest)}</text>`
}

const isMeasured = (host: Thing): boolean => WANTED.host.some((column) => host.line(column) !== undefined)

/** Of a machine that is suspended all the time, those that can be seen. */
const MOST_GAPS = 200

/** Through all panels, the longest first. */
function gapBands(gaps: readonly Gap[], { x }: Scale, top: number, bottom: number): string[] {
  const longest = gaps.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs)).slice(0, MOST_GAPS)
  return longest.map(({ fromMs, toMs, label }) => {
    const from = x(fromMs)
    const width = Math.max(1.5, x(toMs) - from)
    const place = `x="${from.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${bottom - top}"`
    return `<rect class="gap" ${place}><title>${escaped(label)}</title></rect>`
  })
}
