/** The one grammar of limits: the `--limits` flag, the `limits` parameter and the `limits` key of the configuration. */
import type { Limits } from '../collect/types.ts'

const MiB = 1024 ** 2

/** Chosen so that a whole machine fits a browser download and one talkative source cannot push out the others. */
export const DEFAULT_LIMITS: Limits = {
  entryBytes: 64 * MiB,
  collectorBytes: 256 * MiB,
  bundleBytes: 1024 * MiB,
  commandMs: 60_000,
  stallMs: 15_000,
  entries: 4096,
}

/** What a message says is accepted. */
export const LIMITS_GRAMMAR =
  '"none", or a comma-separated list of entry=SIZE, collector=SIZE, bundle=SIZE (64MiB, 1GiB, 500kB), ' +
  'command=TIME, stall=TIME (60s, 500ms, 2m) and entries=NUMBER'

type Unit = 'bytes' | 'milliseconds' | 'count'

const FIELDS: Record<string, { field: keyof Limits; unit: Unit; max: number }> = {
  entry: { field: 'entryBytes', unit: 'bytes', max: Number.MAX_SAFE_INTEGER },
  collector: { field: 'collectorBytes', unit: 'bytes', max: Number.MAX_SAFE_INTEGER },
  bundle: { field: 'bundleBytes', unit: 'bytes', max: Number.MAX_SAFE_INTEGER },
  // A day: longer is a slip of the pen, and setTimeout knows no more than 24.8 days.
  command: { field: 'commandMs', unit: 'milliseconds', max: 86_400_000 },
  stall: { field: 'stallMs', unit: 'milliseconds', max: 86_400_000 },
  // Names are kept in memory until the manifest is written.
  entries: { field: 'entries', unit: 'count', max: 100_000 },
}

/**
 * Reads limits over the given defaults. `none` lifts the limits of bytes and keeps those of time and number.
 * @throws Error whose message says which part is wrong.
 */
export function parseLimits(text: string, defaults: Limits = DEFAULT_LIMITS): Limits {
  if (text.trim() === 'none')
    return { ...defaults, entryBytes: Infinity, collectorBytes: Infinity, bundleBytes: Infinity }
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = { ...defaults }
  const seen = new Set<string>()
  for (const part of text.split(',')) {
    const [name = '', value = '', ...more] = part.split('=').map((piece) => piece.trim())
    const known = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    if (!known || value === '' || more.length > 0) throw new Error(`"${part}" is not a limit`)
    if (seen.has(name)) throw new Error(`"${name}" is given twice`)
    seen.add(name)
    const number = parseAmount(value, known.unit)
    if (number === undefined) throw new Error(`"${value}" is not ${A[known.unit]} (in "${part}")`)
    if (number < 1 || (number > known.max && number !== Infinity))
      throw new Error(`"${value}" is out of range: 1 to ${known.max} (in "${part}")`)
    limits[known.field] = number
  }
  return limits
}

/** The limits in the grammar's own words, for the configuration as shown: `entry=64MiB,…`. */
export function formatLimits(limits: Limits): string {
  return Object.entries(FIELDS)
    .map(([name, { field, unit }]) => `${name}=${formatAmount(limits[field], unit)}`)
    .join(',')
}

const A: Record<Unit, string> = { bytes: 'a size', milliseconds: 'a time', count: 'a number' }

const FACTORS: Record<Unit, Record<string, number>> = {
  bytes: {
    '': 1,
    b: 1,
    k: 1024,
    kib: 1024,
    kb: 1000,
    m: MiB,
    mib: MiB,
    mb: 1e6,
    g: 1024 * MiB,
    gib: 1024 * MiB,
    gb: 1e9,
    t: MiB * MiB,
    tib: MiB * MiB,
    tb: 1e12,
  },
  milliseconds: { ms: 1, s: 1000, '': 1000, m: 60_000, min: 60_000, h: 3_600_000 },
  count: { '': 1 },
}

function parseAmount(text: string, unit: Unit): number | undefined {
  if (text === 'none' && unit === 'bytes') return Infinity
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*([a-z]{0,3})$/i.exec(text)
  const factor = match && FACTORS[unit][match[2]!.toLowerCase()]
  return factor ? Math.floor(Number(match[1]) * factor) : undefined
}

/** Bytes of `64MiB`; undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  return parseAmount(text, 'bytes')
}

function formatAmount(value: number, unit: Unit): string {
  if (value === Infinity) return 'none'
  if (unit === 'count') return String(value)
  if (unit === 'milliseconds') return value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`
  const units = { GiB: 1024 * MiB, MiB, KiB: 1024 }
  for (const [name, factor] of Object.entries(units)) if (value % factor === 0) return `${value / factor}${name}`
  return `${value}B`
}
