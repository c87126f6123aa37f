/** One line of `journalctl --output=json`, read. */

export interface JournalEntry {
  readonly cursor: string
  /** When it happened, as far as the journal knows: milliseconds since 1970, with microseconds as fraction. */
  readonly timeMs: number
  /** Milliseconds since the boot, of the same moment. */
  readonly monotonicMs: number
  /** With dashes, as /proc/sys/kernel/random/boot_id writes it. */
  readonly bootId: string
  /** A field as text, of several with that name the first; undefined when it is absent or too long for journalctl. */
  field(name: string): string | undefined
}

/** undefined for what is no entry: half a line, a notice, no JSON. */
export function parseJournalLine(line: string): JournalEntry | undefined {
  const fields = parsed(line)
  if (fields === undefined) return undefined
  const field = (name: string): string | undefined => textOf(fields[name])
  const cursor = field('__CURSOR')
  const bootId = field('_BOOT_ID')
  const receivedUs = Number(field('__REALTIME_TIMESTAMP'))
  if (cursor === undefined || bootId === undefined || !(receivedUs >= 0)) return undefined
  const monotonicUs = Number(field('__MONOTONIC_TIMESTAMP') ?? 0)
  const lateUs = latenessUs({ receivedUs, monotonicUs, field })
  return {
    cursor,
    timeMs: (receivedUs - lateUs) / 1000,
    monotonicMs: (monotonicUs - lateUs) / 1000,
    bootId: withDashes(bootId),
    field,
  }
}

/** The journal writes boot ids without dashes. */
export function withDashes(id: string): string {
  return id.replace(/^(\w{8})(\w{4})(\w{4})(\w{4})(\w{12})$/, '$1-$2-$3-$4-$5')
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** journalctl writes what is no text as a list of bytes, and fields of the same name as a list of values. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  return typeof value[0] === 'number' ? Buffer.from(value as number[]).toString() : textOf(value[0])
}

/** An hour: a source further away than that had another clock, not a slow way. */
const LATE_US = 3600e6

/** How long before its arrival it happened: early messages of the kernel wait until journald starts. */
function latenessUs(entry: {
  readonly receivedUs: number
  readonly monotonicUs: number
  readonly field: JournalEntry['field']
}): number {
  const kernel = entry.field('_SOURCE_MONOTONIC_TIMESTAMP')
  const source = entry.field('_SOURCE_REALTIME_TIMESTAMP')
  const lateUs =
    kernel !== undefined && entry.field('_TRANSPORT') === 'kernel'
      ? entry.monotonicUs - Number(kernel)
      : source === undefined
        ? 0
        : entry.receivedUs - Number(source)
  return lateUs > 0 && lateUs < LATE_US && lateUs <= entry.monotonicUs ? lateUs : 0
}
