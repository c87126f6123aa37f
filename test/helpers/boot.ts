/** Recorded boots, and lines of the journal made for a test. */
import { existsSync, readFileSync } from 'node:fs'
import { MESSAGES } from '../../collectors/lib/boot-timeline/journal.ts'
import type { ClockPair, ContainerStart, TimelineInputs } from '../../collectors/lib/boot-timeline/types.ts'
import { fixture } from './kit.ts'

/** What diagd would have read in that boot, at its end. */
export function recordedBoot(name: string): TimelineInputs & { last: ClockPair } {
  const text = (file: string) => (existsSync(fixture('boot', name, file)) ? bootFile(name, file) : '')
  return {
    bootId: 'e6827f09-d949-4b15-bf3d-506281a56898',
    live: true,
    last: JSON.parse(text('now.json')) as ClockPair,
    journal: text('journal.json'),
    manager: text('manager.txt'),
    units: text('units.txt'),
    cloudInit: text('cloud-init.log'),
    containers: JSON.parse(text('containers.json') || '[]') as ContainerStart[],
  }
}

export const bootFile = (name: string, file: string): string => readFileSync(fixture('boot', name, file), 'utf8')

/** What journalctl would have printed: `atMs` of the monotonic clock, `START_MS` after 1970 by the other one. */
export function journalLine(
  atMs: number,
  kind: keyof typeof MESSAGES | undefined,
  fields: Record<string, string> = {},
  wallMs = START_MS + atMs,
): string {
  const __CURSOR = JSON.stringify([atMs, kind, fields])
  const times = { __CURSOR, __REALTIME_TIMESTAMP: `${wallMs * 1000}`, __MONOTONIC_TIMESTAMP: `${atMs * 1000}` }
  return `${JSON.stringify({ ...times, ...(kind ? { MESSAGE_ID: MESSAGES[kind] } : {}), MESSAGE: '', ...fields })}\n`
}

/** 2026-01-02T00:00:00Z. */
export const START_MS = Date.UTC(2026, 0, 2)
