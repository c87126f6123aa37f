/** Texts for people: aligned columns, binary units, UTC. No I/O. */

/** Lines with aligned columns. A title that starts with `>` names a right-aligned column; the last one is not padded. */
export function table(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const right = titles.map((title) => title.startsWith('>'))
  const cells = [titles.map((title) => title.replace(/^>/, '')), ...rows.map((row) => row.map(cell))]
  const widths = titles.map((_, column) => cells.reduce((widest, row) => Math.max(widest, row[column]!.length), 0))
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => (right[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)))
      .join('  ')
  return cells.map((row) => `${line(row).trimEnd()}\n`).join('')
}

/** Binary units with three digits: `512 B`, `1.50 GiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']
  let value = count
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toPrecision(value >= 1000 ? 4 : 3)} ${units[unit]}`
}

/** `4d 03:02:01`, `00:02:13.45`: as exact as the kernel's hundredths of a second. */
export function duration(seconds: number): string {
  const hundredths = Math.round(seconds * 100)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const clock = [360_000 * 24, 360_000, 6000].map((unit, at, units) =>
    two((hundredths % unit) / (units[at + 1] ?? 100)),
  )
  const days = Math.floor(hundredths / (360_000 * 24))
  return days > 0 ? `${days}d ${clock.join(':')}` : `${clock.join(':')}.${two(hundredths % 100)}`
}

/** UTC ISO 8601 with milliseconds; `?` for what is no time. */
export const utc = (epochMs: number): string => (Number.isFinite(epochMs) ? new Date(epochMs).toISOString() : '?')

export const percent = (part: number, whole: number, digits = 0): string =>
  whole > 0 ? `${((100 * part) / whole).toFixed(digits)}%` : '-'

/** Control characters and line breaks as escapes, so that a name cannot fake a row. */
export const oneLine = (text: string): string =>
  text.replaceAll(/[\u0000-\u001f\u007f]/g, (c) =>
    c === '\n' ? '\\n' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )

/** The text, or its beginning and how much is missing. */
export const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (+${text.length - most})`

/** Runs `make` at the first call only: several entries share one look. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** Results in the order of the items, at most `limit` at work; stops early (with fewer results) once aborted. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  make: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length && !signal.aborted) {
      const at = next++
      results[at] = await make(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results.filter(() => true) // an abort leaves holes
}

const cell = (value: string | number): string => oneLine(String(value))
