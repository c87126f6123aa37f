/** Finds the base64 body of a key in the lines of a log, whatever the log puts around it. */
import type { Span } from '../rule.ts'
import type { Step } from './lines.ts'

export interface Body {
  /** Lines in a row without a body. */
  readonly misses: number
  /** So many of them end it: what follows a torn key is a log. */
  readonly limit: number
  /** What stood around the last line of the body, numbers aside: a last line that is short is known by it. */
  readonly shape: string | null
}

/** Words and names are shorter; a line of a key has 64, 70 or 76, but for the last. */
const LONG = 40

/** A log's time and unit, or JSON around a line, are no longer. */
const AROUND = 400

const ENDS = /-----(?:END|BEGIN) |Private-MAC:/

export const bodyStep: Step<Body> = ({ text, start }, body) => {
  if (ENDS.test(text)) return { spans: [], next: undefined }
  const spans: Span[] = []
  let { shape } = body
  for (const { index, 0: run } of text.matchAll(RUN)) {
    const around = shapeOf(text.slice(0, index), text.slice(index + run.length))
    if (run.length < LONG && (body.misses > 0 || shape === null || around !== shape)) continue
    spans.push({ start: start + index, end: start + index + run.length })
    shape = around
  }
  const misses = spans.length > 0 ? 0 : body.misses + 1
  return { spans, next: misses < body.limit ? { ...body, misses, shape } : undefined }
}

/** Letters of base64 that stand alone. */
const RUN = /(?<![A-Za-z0-9+/=_.-])=?[A-Za-z0-9+/]+={0,2}(?![\w.-])/g

function shapeOf(before: string, after: string): string {
  if (before.length > AROUND || after.length > AROUND) return '…'
  return `${before}\0${after}`.replaceAll(/\d+|\s+$/g, '0')
}
