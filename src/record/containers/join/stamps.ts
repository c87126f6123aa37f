/** Times of lines of CRI text: `2026-11-21T16:47:23.187458123Z`, which sort as texts. */
import type { Interval } from '../../../collector.ts'

const STAMP_BYTES = 30
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/

export interface Span {
  readonly since: string
  readonly until: string
}

/** In the order of time, without overlaps; both ends inclusive. */
export function spansOf(intervals: readonly Interval[]): Span[] {
  const spans: { sinceMs: number; untilMs: number }[] = []
  for (const { sinceMs, untilMs } of intervals.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const last = spans.at(-1)
    if (last && sinceMs <= last.untilMs) last.untilMs = Math.max(last.untilMs, untilMs)
    else spans.push({ sinceMs, untilMs })
  }
  return spans.map(({ sinceMs, untilMs }) => ({ since: stampAt(sinceMs, '000000'), until: stampAt(untilMs, '999999') }))
}

/** `2026-…` of a moment; what a clock cannot show becomes the first or last one it can. */
function stampAt(timeMs: number, nanos: string): string {
  const shown = Math.min(Math.max(0, Math.floor(timeMs)), Date.UTC(9999, 11, 31))
  return new Date(shown).toISOString().replace('Z', `${nanos}Z`)
}

/** The same moment, so many seconds later. */
export function later(stamp: string, seconds: number): string {
  return (
    new Date(Math.max(0, Date.parse(`${stamp.slice(0, 19)}Z`) + seconds * 1000)).toISOString().slice(0, 19) +
    stamp.slice(19)
  )
}

/** As the Engine API wants it: seconds with a fraction. */
export function unixTime(stamp: string): string {
  return `${Date.parse(`${stamp.slice(0, 19)}Z`) / 1000}.${stamp.slice(20, 29)}`
}

/** Of the line that begins at this place; undefined for lines of ours. */
export function stampOf(text: Buffer, at: number): string | undefined {
  const stamp = text.toString('latin1', at, at + STAMP_BYTES)
  return STAMP.test(stamp) ? stamp : undefined
}

function isWithin(stamp: string, spans: readonly Span[]): boolean {
  return spans.some(({ since, until }) => stamp >= since && stamp <= until)
}

/** Whole lines of it that lie in the spans; one without a time goes with the one before, at the beginning with the next. */
export function cutToSpans(text: Buffer, spans: readonly Span[]): { text: Buffer; lines: number } {
  const kept: Buffer[] = []
  let lines = 0
  let within: boolean | undefined
  let from = 0
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at)
    const stamp = stampOf(text, at)
    const now = stamp === undefined ? within : isWithin(stamp, spans)
    if (now !== undefined && within !== undefined && now !== within) {
      if (within) kept.push(text.subarray(from, at))
      from = at
    }
    within = now
    if (now && stamp !== undefined) lines += 1
    at = end
  }
  if (within === true || (within === undefined && text.length > 0)) kept.push(text.subarray(from))
  return { text: kept.length === 1 ? kept[0]! : Buffer.concat(kept), lines }
}

/** Behind its newline. */
export function lineEnd(text: Buffer, at: number): number {
  const newline = text.indexOf(10, at)
  return newline === -1 ? text.length : newline + 1
}

/** Of that many bytes at most, at a line. */
export function firstLines(text: Buffer, bytes: number): Buffer {
  if (text.length <= bytes) return text
  return bytes <= 0 ? text.subarray(0, 0) : text.subarray(0, text.lastIndexOf(10, bytes - 1) + 1)
}

export function said(sentence: string): Buffer {
  return Buffer.from(`… diagd: ${sentence} …\n`)
}

/** Of that many bytes at most, from a line on. */
export function lastLines(text: Buffer, bytes: number): Buffer {
  if (text.length <= bytes) return text
  const at = text.length - bytes
  return text.subarray(lineEnd(text, Math.max(0, at - 1)))
}
