/** Finds the base64 body of a key in the lines of a log, whatever the log puts around it. */
import type { Span } from '../rule.ts'
import type { Step } from './lines.ts'

export interface Body {
  /** Lines in a row without a body. */
  readonly misses: number
  /** So many of them end it: what follows a torn key is a log. */
  readonly limit: number
  /** What stood around the marker, or the last line of the body, numbers aside: a short line is known by it. */
  readonly shape: string | null
  /** Nothing but the marker and headers so far. */
  readonly first?: boolean
}

/** Words and names are shorter; a line of a key has 64, 70 or 76, but for the last. */
const LONG = 40

/** Nobody breaks a key into shorter lines. */
const NARROW = 8

/** A log's time and unit, or JSON around a line, are no longer. */
export const AROUND = 400

const ENDS = /-----(?:END|BEGIN) |Private-MAC:/

export const bodyStep: Step<Body> = ({ text, start }, body) => {
  if (ENDS.test(text)) return { spans: [], next: undefined }
  const spans: Span[] = []
  let { shape } = body
  for (const { index, 0: run } of text.matchAll(RUN)) {
    const around = shapeOf(text.slice(0, index), text.slice(index + run.length))
    if (run.length < LONG && (around !== shape || around === FAR || !isShort(run, body))) continue
    spans.push({ start: start + index, end: start + index + run.length })
    shape = around
  }
  const misses = spans.length > 0 ? 0 : body.misses + 1
  const first = body.first === true && spans.length === 0 && HEADER.test(text)
  return { spans, next: misses < body.limit ? { ...body, misses, shape, first } : undefined }
}

/** The last line, or one of a narrow key: right behind the marker, and no word. */
function isShort(run: string, { misses, first }: Body): boolean {
  return first ? run.length >= NARROW && !/^[A-Z]?[a-z]+=*$|^[A-Z]+$/.test(run) : misses === 0
}

/** Of a PEM or PGP, or the empty line behind them; a log may stand before it. */
const HEADER = /(?:^|\s)[A-Z][A-Za-z-]{3,20}: \S|[^A-Za-z0-9+/=]$|^$/

/** Letters of base64 that stand alone. */
export const RUN = /(?<![A-Za-z0-9+/=_.-])=?[A-Za-z0-9+/]+={0,2}(?![\w.-])/g

export function shapeOf(before: string, after: string): string {
  if (before.length > AROUND || after.length > AROUND) return FAR
  return `${before}\0${after}`.replaceAll(/\d+|\s+$/g, '0')
}

/** More than a log puts there. */
export const FAR = '…'
