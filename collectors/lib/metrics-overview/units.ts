/** Numbers and times as people read them, and axes that end at round numbers. No I/O. */
export type Unit = 'percent' | 'bytes' | 'bytes/s' | 'ms' | 'count' | 'per-second'

export function amount(value: number, unit: Unit): string {
  if (unit === 'percent') return `${rounded(value)} %`
  if (unit === 'bytes') return bytes(value)
  if (unit === 'bytes/s') return `${bytes(value)}/s`
  if (unit === 'ms') return value >= 1000 ? `${rounded(value / 1000)} s` : `${rounded(value)} ms`
  return unit === 'per-second' ? `${rounded(value)}/s` : rounded(value)
}

/** `512 B`, `1.5 GiB`: shorter than elsewhere, there is little room. */
function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10))
  return `${rounded(value / 1024 ** power)} ${units[power]}`
}

/** Two digits and more where there are more. */
function rounded(value: number): string {
  const digits = Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 1 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** The next round number, in the steps of the unit. */
export function roundUp(value: number, unit: Unit): number {
  const base = unit === 'bytes' || unit === 'bytes/s' ? 1024 : 10
  const power = base ** Math.floor(Math.log(Math.max(value, 1e-9)) / Math.log(base) + 1e-9)
  const steps = base === 10 ? [1, 2, 4, 5, 10] : [1, 2, 4, 8, 10, 20, 40, 80, 100, 200, 400, 800, 1024]
  return power * (steps.find((step) => step * power >= value * (1 - 1e-9)) ?? base)
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `02:13`; with the day where more than one can be meant. */
export function clock(timeMs: number, withDay = false): string {
  const text = new Date(timeMs).toISOString()
  return withDay ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(11, 16)
}

/** `45 s`, `12 min`, `3 h 12 min`, `2 d 5 h`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${two(minutes % 60)} min`}`
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`
}
