/** Up to where a boot is a boot: what happens days later on the machine is not what made its start slow. No I/O. */
import type { JournalLine } from './journal.ts'
import type { Part } from './parts.ts'

export interface Span {
  /** Everything that belongs to the start has ended by then. */
  readonly endMs: number
  /** What units do until then is looked at, too: one that fails right after the start failed at the start. */
  readonly untilMs: number
}

/** Provisioning that begins this long after the step before it belongs to the same boot. */
const PAUSE_MS = 10 * 60_000
const AFTERMATH_MS = 60_000

export function startSpan(
  parts: readonly Part[],
  finishedMs: number | undefined,
  { lastMs, shutdownMs }: { readonly lastMs: number; readonly shutdownMs: number },
): Span {
  const overMs = Math.min(lastMs, shutdownMs)
  let endMs = finishedMs ?? overMs
  for (const { startedMs, endedMs } of parts.toSorted((a, b) => a.startedMs - b.startedMs)) {
    if (startedMs <= endMs + PAUSE_MS) endMs = Math.max(endMs, endedMs ?? startedMs)
  }
  endMs = Math.min(endMs, overMs)
  return { endMs, untilMs: Math.min(endMs + AFTERMATH_MS, shutdownMs - SAME_MS) }
}

/** What begins to go a moment before the first target does. A step that began then did not: it may have asked for the reboot. */
const SAME_MS = 250

/** When somebody asked to shut down, or the first of the great targets went away; Infinity when neither happened. */
export function shutdownTime(lines: readonly JournalLine[]): number {
  const first = lines.find(
    (line) =>
      line.kind === 'shutdown' ||
      (line.kind === 'stopped' && /^(?:graphical|multi-user|basic|sysinit)\.target$/.test(line.field('UNIT'))),
  )
  return first?.monotonicMs ?? Infinity
}
