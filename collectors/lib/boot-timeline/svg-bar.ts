/** The bar of one step, with its duration beside it and all that is known of it behind the pointer. No I/O. */
import { since, span } from './say.ts'
import type { Scale } from './svg.ts'
import { escaped, text } from './svg-text.ts'
import { ROW_PX, WIDTH_PX } from './svg-style.ts'
import type { Step } from './types.ts'

/** What took more than one start was not busy all the time. */
export const PATTERN =
  '<pattern id="again" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<rect class="restarted" width="8" height="8"/><rect class="stripe" width="3" height="8"/></pattern>'

/** Narrower cannot be seen. */
const LEAST_PX = 3
const CHAR_PX = 7.2
const ARROW_PX = 7

export function bar(step: Step, y: number, scale: Scale): string {
  const from = scale.x(step.startedMs)
  const isOpen = step.endedMs === null && step.status !== 'failed'
  const to = isOpen ? scale.x(scale.toMs) : scale.x(step.endedMs ?? step.startedMs)
  const title = `<title>${escaped(told(step))}</title>`
  const shape = step.durationMs === 0 ? milestone(from, y) : box(step, from, Math.max(LEAST_PX, to - from), y, isOpen)
  return `<g class="${step.source} ${step.status}">${title}${shape}</g>${beside(caption(step), from, Math.max(to, from + LEAST_PX) + (isOpen ? ARROW_PX : 0), y)}`
}

function box({ status }: Step, x: number, widthPx: number, y: number, isOpen: boolean): string {
  const height = ROW_PX - 7
  const rect = `<rect class="bar" x="${x}" y="${y + 3}" width="${widthPx.toFixed(1)}" height="${height}" rx="2"${status === 'restarted' ? ' style="fill:url(#again)"' : ''}/>`
  if (!isOpen) return rect
  // An end that nobody saw: an arrow, as it goes on.
  const tip = x + widthPx
  return `${rect}<path class="bar" d="M${tip} ${y + 1}l${ARROW_PX} ${height / 2 + 2}l-${ARROW_PX} ${height / 2 + 2}z"/>`
}

const milestone = (x: number, y: number): string => `<path class="bar" d="M${x} ${y + 3}l5 6l-5 6l-5 -6z"/>`

function caption({ status, durationMs, startedMs }: Step): string {
  const took = durationMs === null ? '' : durationMs === 0 ? since(startedMs) : span(durationMs)
  const word = { done: '', failed: '✕ failed', running: 'still running', 'never-ended': 'never ended', restarted: '↻' }[
    status
  ]
  return [word, took].filter((part) => part !== '').join(' ')
}

/** Right of the bar; where the paper ends, on it or left of it. */
function beside(caption: string, from: number, to: number, y: number): string {
  const widthPx = caption.length * CHAR_PX
  if (to + 8 + widthPx <= WIDTH_PX - 4) return text(to + 8, y + 14, caption, 'caption')
  if (widthPx + 16 <= to - from) return text(to - 8, y + 13.5, caption, 'within')
  return text(from - 6, y + 14, caption, 'caption before')
}

function told({ name, source, status, startedMs, endedMs, startedAt, detail }: Step): string {
  const times = `${since(startedMs)} to ${endedMs === null ? '?' : since(endedMs)}`
  return [`${name} (${source}): ${status}`, times, startedAt ?? '', detail].filter((part) => part !== '').join('\n')
}
