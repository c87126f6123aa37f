/**
 * The start of the machine as a picture, as `systemd-analyze plot` draws it. That command asks systemd-hostnamed for
 * the name of the machine, which starts it, and hangs on a dead D-Bus; the times alone come from PID 1. No I/O.
 */
import { type Properties, parseShow } from './systemd-show.ts'

/** What to ask `systemctl show` of every unit. */
export const plotProperties = [
  'Id',
  'InactiveExitTimestampMonotonic',
  'ActiveEnterTimestampMonotonic',
  'InactiveEnterTimestampMonotonic',
  'Result',
]
/** What to ask of systemd itself. */
export const startProperties = ['UserspaceTimestampMonotonic', 'FinishTimestampMonotonic']

/** A host of many containers has thousands of mounts and scopes; the first ones tell how it came up. */
const mostUnits = 1500
const [leftPx, widthPx, rowPx, topPx] = [20, 1200, 18, 60]

interface Bar {
  readonly name: string
  /** Microseconds since the start of systemd. */
  readonly startUs: number
  /** When it was up; or down again without having been up. Undefined while it still starts. */
  readonly endUs: number | undefined
  readonly fate: Fate
}

/** Done: what runs once and ends, as it should. */
type Fate = 'up' | 'done' | 'failed' | 'starting'
const colors: Readonly<Record<Fate, string>> = { up: '#3a7', done: '#89b', failed: '#c33', starting: '#e90' }

/** SVG. Throws when systemd did not tell when it started. */
export function bootPlot(manager: string, units: string): string {
  const own = parseShow(manager)[0] ?? {}
  const startUs = Number(own['UserspaceTimestampMonotonic'])
  const finishUs = Number(own['FinishTimestampMonotonic'])
  if (!startUs) throw new Error('systemd does not tell when it started')
  const bars = parseShow(units)
    .flatMap((unit) => bar(unit, startUs, finishUs))
    .sort((a, b) => a.startUs - b.startUs)
  const ends = bars.map(({ startUs: from, endUs }) => endUs ?? from)
  const totalUs = Math.max(
    1,
    finishUs - startUs,
    ends.reduce((latest, end) => Math.max(latest, end), 0),
  )
  const done = finishUs ? `finished after ${seconds(finishUs - startUs)}` : 'NOT FINISHED when this was drawn'
  return svg(`Start of userspace: ${done}, ${bars.length} units`, bars, totalUs)
}

/** None for a unit that did not start while the machine did: its last start is what systemd remembers. */
function bar(unit: Properties, startUs: number, finishUs: number): Bar[] {
  const at = (key: string) => Number(unit[key] ?? 0)
  const from = at('InactiveExitTimestampMonotonic')
  if (from < startUs || (finishUs > 0 && from > finishUs)) return []
  const [up, down] = [at('ActiveEnterTimestampMonotonic'), at('InactiveEnterTimestampMonotonic')]
  const fate = up >= from ? 'up' : down < from ? 'starting' : unit['Result'] === 'success' ? 'done' : 'failed'
  const end = fate === 'up' ? up : fate === 'starting' ? undefined : down
  return [{ name: unit['Id'] ?? '?', startUs: from - startUs, endUs: end && end - startUs, fate }]
}

function svg(title: string, bars: readonly Bar[], totalUs: number): string {
  const x = (us: number) => (leftPx + (us / totalUs) * widthPx).toFixed(1)
  const shown = bars.slice(0, mostUnits)
  const height = topPx + shown.length * rowPx + 20
  const left = bars.length - shown.length
  const rows = shown.map((unit, row) => {
    const end = unit.endUs ?? totalUs
    const took = unit.endUs === undefined ? '' : seconds(unit.endUs - unit.startUs)
    const label = [took, unit.fate === 'up' ? '' : unit.fate].filter((word) => word !== '').join(', ')
    const y = topPx + row * rowPx
    const px = Math.max(1, ((end - unit.startUs) / totalUs) * widthPx).toFixed(1)
    return `<rect x="${x(unit.startUs)}" y="${y}" width="${px}" height="${rowPx - 4}" fill="${colors[unit.fate]}"/><text x="${x(unit.startUs)}" y="${y + 11}">${escaped(unit.name)} (${label})</text>\n`
  })
  const ticks = Array.from({ length: 11 }, (_, tenth) => {
    const at = x((totalUs * tenth) / 10)
    return `<path d="M${at} 45V${height}" stroke="#ccc"/><text x="${at}" y="42">${seconds((totalUs * tenth) / 10)}</text>\n`
  })
  const heading = `${title}${left > 0 ? `, the last ${left} left out` : ''}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${leftPx + widthPx + 400}" height="${height}" font-family="sans-serif" font-size="11">\n<text x="${leftPx}" y="20" font-size="14">${heading}</text>\n${ticks.join('')}${rows.join('')}</svg>\n`
}

const seconds = (us: number) => `${(us / 1e6).toFixed(3)} s`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
