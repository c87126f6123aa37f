/** GET /metrics/range: what was measured in a span, a value for each step, as the picture of a bundle and those of others need it. */
import type { FastifyInstance } from 'fastify'
import { parseTime, printable, single, UsageError, type Parameters } from '../collect/request.ts'
import type { Measured, MeasuredQuery } from '../collector.ts'
import { CATALOGUE } from '../record/metrics/catalogue/index.ts'
import { asking, notRecording } from './store-refusals.ts'

export interface RangeDeps {
  /** Undefined where nothing is kept. */
  readonly measured?: { range(query: MeasuredQuery): Promise<Measured> } | undefined
}

const PARAMETERS = ['since', 'until', 'step', 'columns', 'things']

export function metricsRangeRoute(app: FastifyInstance, { measured }: RangeDeps): void {
  app.get('/metrics/range', { config: { scope: 'read' } }, async ({ query }, reply) => {
    const wanted = parseRange(query as Parameters, Date.now())
    if (!measured) throw notRecording('off', 'this diagd keeps no metrics')
    const found = await asking(() => measured.range(wanted))
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(found, short))
  })
}

const DAY_MS = 86_400_000
/** As the database has it; a picture has fewer. */
const MOST_STEPS = 10_000
const USUAL_STEPS = 480
const MOST_THINGS = 1000
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS }

/** @throws UsageError */
export function parseRange(parameters: Parameters, nowMs: number): MeasuredQuery {
  const unknown = Object.keys(parameters).find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    throw new UsageError(printable(unknown), `is not a parameter; accepted: ${PARAMETERS.join(', ')}`)
  const time = (name: string, otherwise: number) => {
    const text = single(parameters, name)
    return text === undefined ? otherwise : parseTime(name, text, nowMs)
  }
  const untilMs = time('until', nowMs)
  const sinceMs = time('since', untilMs - DAY_MS)
  if (sinceMs >= untilMs) throw new UsageError('since', 'is not before "until"; accepted: an earlier time')
  const things = single(parameters, 'things')
  return {
    sinceMs,
    untilMs,
    stepMs: stepOf(single(parameters, 'step'), untilMs - sinceMs),
    columns: columnsOf(single(parameters, 'columns') ?? 'host'),
    ...(things === undefined ? {} : { mostThings: whole('things', things, MOST_THINGS) }),
  }
}

function stepOf(text: string | undefined, spanMs: number): number {
  if (text === undefined) return Math.max(10, Math.ceil(spanMs / USUAL_STEPS / 1000)) * 1000
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const stepMs = Number(number) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  if (stepMs >= 1000 && spanMs / stepMs <= MOST_STEPS) return stepMs
  const accepted = `10s, 1m, 2h, 1d: from 1 s on, and at most ${MOST_STEPS} steps`
  throw new UsageError('step', `"${printable(text)}" is not a step of this span; accepted: ${accepted}`)
}

/** `host.load_1,mount.used_bytes,disk`: a column, or all of a subject. */
function columnsOf(text: string): Record<string, string[]> {
  const wanted: Record<string, string[]> = {}
  for (const word of text.split(',')) {
    const [subject = '', name] = word.split('.')
    const known = keptOf(subject)
    const found = name === undefined ? known : known.filter((column) => column === name)
    if (found.length === 0) throw new UsageError('columns', refusal(word, subject, known))
    wanted[subject] = [...new Set([...(wanted[subject] ?? []), ...found])]
  }
  return wanted
}

function keptOf(subject: string): string[] {
  return CATALOGUE.flatMap((metric) => (metric.subject === subject && metric.kept ? [metric.kept.column] : []))
}

function refusal(word: string, subject: string, known: readonly string[]): string {
  const subjects = [...new Set(CATALOGUE.flatMap(({ subject: one, kept }) => (kept ? [one] : [])))]
  const accepted = known.length > 0 ? known.map((name) => `${subject}.${name}`) : subjects
  return `"${printable(word)}" is not measured; accepted: ${accepted.join(', ')}`
}

function whole(name: string, text: string, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (number >= 1 && number <= most) return number
  throw new UsageError(name, `"${printable(text)}" does not fit; accepted: whole numbers from 1 to ${most}`)
}

/** Averages have no more digits than what they are made of. */
function short(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
