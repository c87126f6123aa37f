/** One panel: name, legend with peaks, axis, lines. No I/O. */
import { fitted } from '../boot-timeline/fitted.ts'
import { escaped, text } from '../boot-timeline/svg-text.ts'
import type { Drawn, Panel } from './panel.ts'
import { areaPath, linePath, type Axes } from './svg-path.ts'
import { AXIS_PX, LEFT_PX, PLOT_PX } from './svg-style.ts'
import type { Remark, Span } from './types.ts'
import { amount } from './units.ts'
import type { Scale } from './svg-scale.ts'

/** What is behind the lines. */
export function panelGround({ id, heightPx }: Panel, y: number, scale: Scale, remarks: readonly Remark[]): string {
  const spans = remarks.filter(({ panel, severity }) => panel === id && severity === 'bad').flatMap((one) => one.spans)
  const plot = `<rect class="plot" x="${LEFT_PX}" y="${y}" width="${PLOT_PX}" height="${heightPx}"/>`
  if (spans.length === 0) return plot
  const boxes = (top: number, height: number) =>
    joined(spans, scale).map(([from, to]) => `M${from} ${top}h${to - from}v${height}h${from - to}z`)
  return `${plot}<path class="hot" d="${boxes(y, heightPx).join('')}"/><path class="edge" d="${boxes(y - 4, 4).join('')}"/>`
}

/** Closer to each other than this, they are one: the eye does not tell them apart. */
const APART_PX = 4

function joined(spans: readonly Span[], { x }: Scale): [number, number][] {
  const all: [number, number][] = []
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const from = Math.round(x(fromMs))
    const to = Math.max(from + 2, Math.round(x(toMs)))
    const last = all.at(-1)
    if (last && from - last[1] < APART_PX) last[1] = Math.max(last[1], to)
    else all.push([from, to])
  }
  return all
}

export function panelLines(panel: Panel, y: number, scale: Scale, isBad: boolean): string {
  const { heightPx, top, limit } = panel
  const axes: Axes = {
    x: scale.xOfStep,
    y: (value) => y + heightPx - (Math.min(Math.max(value, 0), top) / top) * heightPx,
  }
  const drawn =
    panel.absent === undefined
      ? [...areas(panel, axes), ...panel.lines.map((one) => line(one, axes, panel.lines.length <= MOST_BANDS))]
      : []
  return [
    `<g id="${panel.id}"><title>${escaped(panel.title)}</title>`,
    text(16, y + 10, panel.title, isBad ? 'name bad' : 'name'),
    text(16, y + 23, panel.about, 'faint key'),
    legend(panel, y + 38),
    ...(panel.absent === undefined
      ? [axis(panel, axes)]
      : [text(LEFT_PX + PLOT_PX / 2, y + heightPx / 2 + 4, panel.absent, 'none')]),
    ...drawn,
    limit && limit.at <= top ? limitLine(limit, axes) : '',
    crossesAt(panel.crosses ?? [], y + heightPx - 6, scale),
    `<rect class="frame" x="${LEFT_PX}" y="${y}" width="${PLOT_PX}" height="${heightPx}"/></g>`,
  ].join('')
}

/** Each stands on the sum of those before it. */
function areas({ areas: all, roof }: Panel, axes: Axes): string[] {
  let floor: readonly (number | null)[] = all[0]?.line.avg.map((value) => (value === null ? null : 0)) ?? []
  const paths = all.map(({ line, colour }) => {
    const low = floor
    floor = low.map((value, at) => (value === null ? null : value + (line.avg[at] ?? 0)))
    return `<path class="area" fill="${colour}" d="${areaPath(low, floor, axes)}"/>`
  })
  if (!roof || all.length === 0) return paths
  const highest = roof.max.map((value, at) => (value === null ? null : Math.max(value, floor[at] ?? 0)))
  return [`<path class="band" fill="${all[0]!.colour}" d="${areaPath(floor, highest, axes)}"/>`, ...paths]
}

/** More bands hide each other. */
const MOST_BANDS = 3

function line({ line: { avg, min, max }, colour }: Drawn, axes: Axes, withBand: boolean): string {
  const isBand = withBand && max.some((value, at) => value !== min[at])
  const band = isBand ? `<path class="band" fill="${colour}" d="${areaPath(min, max, axes)}"/>` : ''
  return `${band}<path class="line" stroke="${colour}" d="${linePath(avg, axes)}"/>`
}

function axis({ top, unit }: Panel, axes: Axes): string {
  const marks = [0, top / 2, top]
  return marks
    .map((value) => {
      const y = Math.round(axes.y(value) * 2) / 2
      const grid = value === 0 || value === top ? '' : `<path class="grid" d="M${LEFT_PX} ${y}h${PLOT_PX}"/>`
      return grid + text(AXIS_PX, value === top ? y + 8 : value === 0 ? y : y + 4, amount(value, unit), 'axis')
    })
    .join('')
}

const KEY_PX = 13
const NAME_CHARS = 15
/** Where the numbers of the legend end: left of those of the axis. */
const PEAK_PX = 154

function legend({ areas: all, lines, unit, heightPx, absent }: Panel, y: number): string {
  if (absent !== undefined) return ''
  const room = Math.max(1, Math.floor((heightPx - 26) / KEY_PX))
  const keys = [...all.toReversed(), ...lines]
  const shown = keys.length > room ? keys.slice(0, room) : keys
  const peak = text(PEAK_PX, y - 28, 'peak', 'peak')
  return peak + shown.map((key, at) => keyOf(key, y + at * KEY_PX, unit)).join('')
}

function keyOf({ name, colour, line }: Drawn, y: number, unit: Panel['unit']): string {
  const peak = Math.max(...line.max.filter((value) => value !== null))
  return (
    `<rect fill="${colour}" x="16" y="${y - 8}" width="9" height="9" rx="1.5"/>` +
    text(30, y, fitted(name, NAME_CHARS), 'key') +
    (Number.isFinite(peak) ? text(PEAK_PX, y, amount(peak, unit), 'peak') : '')
  )
}

function limitLine({ at, label }: NonNullable<Panel['limit']>, axes: Axes): string {
  const y = Math.round(axes.y(at) * 2) / 2
  return `<path class="limit" d="M${LEFT_PX} ${y}h${PLOT_PX}"/>${text(LEFT_PX + PLOT_PX - 4, y - 3, label, 'axis')}`
}

/** A cross is as wide. */
const CROSS_PX = 8
const WORDS_MOST = 3

function crossesAt(crosses: NonNullable<Panel['crosses']>, y: number, { x }: Scale): string {
  const places = Map.groupBy(crosses, ({ timeMs }) => Math.round(x(timeMs) / CROSS_PX))
  return [...places.values()]
    .map((all) => {
      const at = Math.round(x(all[0]!.timeMs))
      const more = all.length > WORDS_MOST ? [`… and ${all.length - WORDS_MOST} more`] : []
      const words = [...all.slice(0, WORDS_MOST).map(({ label }) => fitted(label, 80)), ...more].join('\n')
      return `<g><title>${escaped(words)}</title><path class="cross" d="M${at} ${y}m-4 -4l8 8m0 -8l-8 8"/></g>`
    })
    .join('')
}
