/**
 * boot/timeline.svg: the same as a picture. One bar for each step, under each other in the order in which they began; no script,
 * no font and nothing else from elsewhere. Every text of the machine is escaped. No I/O.
 */
import { oneLine } from '../proc-text.ts'
import { fitted } from './fitted.ts'
import { bar, PATTERN } from './svg-bar.ts'
import { escaped, text, wrappedText } from './svg-text.ts'
import { LEFT_PX, legend, RIGHT_PX, ROW_PX, STYLE, WIDTH_PX } from './svg-style.ts'
import { axisStepMs, tickLabel } from './svg-axis.ts'
import { clockText, fewer, span, STATES } from './say.ts'
import { worthShowing, type ShownStep } from './shown.ts'
import type { ClockStep, Gap, Step, Timeline } from './types.ts'

/** A picture of more is no longer looked at. */
const MOST_ROWS = 400

export function timelineSvg(timeline: Timeline): string {
  const shown = worthShowing(timeline.steps)
  const rows = shown.slice(0, MOST_ROWS)
  const head = heading(timeline)
  const top = head.heightPx + 58
  const bottom = top + Math.max(1, rows.length) * ROW_PX + (timeline.gaps.length > 0 ? ROW_PX : 0)
  const scale = scaleOf(timeline)
  const body = [
    head.svg,
    legend(head.heightPx + 14),
    grid(scale, top, bottom),
    ...timeline.gaps.map((gap) => gapBand(gap, scale, top, bottom)),
    ...timeline.clockSteps.map((step) => clockLine(step, scale, top, bottom)),
    ...rows.map((row, at) => rowOf(row, top + at * ROW_PX, scale, timeline)),
    footer(timeline, rows.length, bottom + 22),
  ]
  const height = bottom + 40
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" width="${WIDTH_PX}" height="${height}" role="img">
<title>Timeline of boot ${escaped(timeline.bootId)}</title>
<style>${STYLE}</style>
<defs>${PATTERN}</defs>
<rect class="paper" width="100%" height="100%"/>
${body.filter((part) => part !== '').join('\n')}
</svg>
`
}

export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly x: (ms: number) => number
}

function scaleOf({ steps, wallClockMs }: Timeline): Scale {
  const fromMs = steps.reduce((first, { startedMs }) => Math.min(first, startedMs), 0)
  const toMs = fromMs + Math.max(1, wallClockMs)
  const widthPx = WIDTH_PX - LEFT_PX - RIGHT_PX
  const x = (ms: number) => LEFT_PX + Math.min(Math.max((ms - fromMs) / (toMs - fromMs), 0), 1) * widthPx
  return { fromMs, toMs, x: (ms) => Math.round(x(ms) * 10) / 10 }
}

function heading(timeline: Timeline): { svg: string; heightPx: number } {
  const { bootId, state, startedAt, wallClockMs, sumMs, findings, clockSteps } = timeline
  const title = text(16, 28, `Boot of ${startedAt ?? 'an unknown time'}: ${span(wallClockMs)}`, 'title')
  const facts = [bootId, STATES[state], `sum of all steps ${span(sumMs)}`, `wall clock ${span(wallClockMs)}`]
  const sub = text(16, 47, facts.join(' · '), 'faint')
  const said = [...fewer(findings.map((one) => one.title)), ...fewer(clockSteps.map(clockText))]
  const none =
    timeline.steps.length === 0 ? 'Nothing tells of the steps of this boot.' : 'None of the known disasters was seen.'
  const lines = said.length === 0 ? [none] : said.map((one) => `▲ ${one}`)
  const { svg, endPx } = wrappedText(16, 70, lines, said.length === 0 ? 'faint' : 'finding')
  return { svg: [title, sub, svg].join('\n'), heightPx: endPx }
}

function grid({ fromMs, toMs, x }: Scale, top: number, bottom: number): string {
  const stepMs = axisStepMs(toMs - fromMs)
  const lines: string[] = []
  for (let ms = Math.ceil(fromMs / stepMs) * stepMs; ms <= toMs; ms += stepMs) {
    lines.push(`<path class="grid" d="M${x(ms)} ${top - 6}V${bottom}"/>${text(x(ms), top - 12, tickLabel(ms), 'tick')}`)
  }
  return lines.join('\n')
}

function gapBand({ startedMs, endedMs, durationMs }: Gap, { x }: Scale, top: number, bottom: number): string {
  const widthPx = x(endedMs) - x(startedMs)
  const label = `${span(durationMs)} of silence`
  const isRoomy = widthPx > label.length * 7
  return [
    `<rect class="gap" x="${x(startedMs)}" y="${top - 4}" width="${widthPx.toFixed(1)}" height="${bottom - top + 4}"/>`,
    isRoomy ? text(x(startedMs) + widthPx / 2, bottom - 6, label, 'tick') : '',
  ].join('')
}

function clockLine(step: ClockStep, { x }: Scale, top: number, bottom: number): string {
  return `<path class="clock" d="M${x(step.atMs)} ${top - 6}V${bottom}"><title>${escaped(clockText(step))}</title></path>`
}

/** Characters of a label: 7.2 px each. */
const LABEL_CHARS = 42

function rowOf({ step, depth }: ShownStep, y: number, scale: Scale, timeline: Timeline): string {
  const indent = Math.min(depth, 4) * 2
  const className = isSuspect(step, timeline) ? 'label suspect' : 'label'
  const label = text(16 + indent * 7.2, y + 14, fitted(oneLine(step.name), LABEL_CHARS - indent), className)
  return `<g>${label}${bar(step, y, scale)}</g>`
}

/** Of several steps of one name those that did not go well. */
function isSuspect(step: Step, { findings, steps }: Timeline): boolean {
  if (!findings.some((finding) => finding.steps.includes(step.name))) return false
  return step.status !== 'done' || steps.filter(({ name }) => name === step.name).length === 1
}

function footer({ steps, stepsLeftOut }: Timeline, shown: number, y: number): string {
  const left = steps.length + stepsLeftOut - shown
  return left === 0 ? '' : text(16, y, `${left} short steps are not drawn: timeline.json has them`, 'faint')
}
