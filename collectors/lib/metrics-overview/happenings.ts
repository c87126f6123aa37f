/** What happened, as short as a picture needs it. No I/O. */
import type { MeasuredMark, RecordedEvent } from '../../../src/collector.ts'
import { endOf } from './grid.ts'
import type { Grid, Happening } from './types.ts'
import { duration } from './units.ts'

/** What types are called; of others the type itself stands there. */
const WORDS: Readonly<Record<string, string>> = {
  'kernel.oom-kill': 'OOM kill',
  'unit.failed': 'failed',
  'unit.oom-killed': 'OOM kill in',
  'unit.start-limit': 'given up',
  'unit.job-failed': 'not started',
  'disk.full': 'disk full',
  'kernel.fs-full': 'disk full',
  'kernel.io-error': 'I/O error',
  'kernel.hung-task': 'hung',
  'kernel.segfault': 'segfault',
  'process.core-dump': 'crashed',
  'system.unclean-end': 'end without a word',
  'diagd.crashed': 'diagd crashed',
}

/** Said by another one of the same moment. */
const DOUBLES = new Set(['kernel.oom'])

const MINUTE_MS = 60_000

export function happeningsOf(
  events: readonly RecordedEvent[],
  marks: readonly MeasuredMark[],
  grid: Grid,
): readonly Happening[] {
  return [
    ...events.filter(({ type }) => !DOUBLES.has(type)).map(ofEvent),
    ...marks.flatMap((mark) => ofMark(mark, grid)),
  ]
}

function ofEvent({ timeMs, type, level, subject, message }: RecordedEvent): Happening {
  const label = `${WORDS[type] ?? type} ${subject}`.trim()
  return { timeMs, kind: level === 'critical' ? 'critical' : 'error', label, message: `${type} ${subject}: ${message}` }
}

function ofMark({ kind, fromMs, toMs, message }: MeasuredMark, grid: Grid): Happening[] {
  if (toMs < grid.sinceMs || toMs > endOf(grid)) return []
  // Nobody knows how much of it the machine was down.
  const after = toMs - fromMs >= MINUTE_MS ? ` after ${duration(toMs - fromMs)}` : ''
  if (kind === 'boot') return [{ timeMs: toMs, kind: 'boot', label: `boot${after}`, message }]
  if (kind !== 'clock-set') return []
  const label = `clock set ${toMs < fromMs ? 'back' : 'forward'} ${duration(Math.abs(toMs - fromMs))}`
  return [{ timeMs: toMs, kind: 'clock', label, message }]
}
