/** Times and sizes between two bounds, as keys of mappings have them. */
import { parseBytes } from './limits.ts'

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/**
 * Reads `10s`, `5m`, `24h`, `7d`, `4w` into milliseconds.
 * @param min e.g. `1h`; `max` likewise: both are shown when the value is refused.
 */
export function timeBetween(min: string, max: string): (value: unknown) => number {
  const [minMs, maxMs] = [parseTime(min)!, parseTime(max)!]
  return (value) => {
    const ms = parseTime(value)
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
    throw new Error(`${JSON.stringify(value)} is not a time from ${min} to ${max}`)
  }
}

/** Reads `64MiB` into bytes. */
export function sizeBetween(min: string, max: string): (value: unknown) => number {
  const [minBytes, maxBytes] = [parseBytes(min)!, parseBytes(max)!]
  return (value) => {
    const bytes = parseBytes(String(value))
    if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes
    throw new Error(`${JSON.stringify(value)} is not a size from ${min} to ${max}`)
  }
}

function parseTime(value: unknown): number | undefined {
  const [, amount, unit] = /^(\d{1,4})([smhdw])$/.exec(String(value)) ?? []
  return unit === undefined ? undefined : Number(amount) * UNIT_MS[unit]!
}
