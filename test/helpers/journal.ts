/** Real journal files for tests, made by systemd-journal-remote from the export format. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const REMOTE = '/lib/systemd/systemd-journal-remote'

/** False without the package systemd-journal-remote; tests that need journal files say so and skip. */
export const canMakeJournals = existsSync(REMOTE)

export interface JournalEntry {
  timeMs: number
  message: string
  bootId?: string
  unit?: string
}

const MACHINE_ID = 'c'.repeat(32)
export const bootIdOf = (digit: string): string => digit.repeat(32)

/** Writes a journal file below `root`, as journalctl --root reads it; returns its path. */
export function makeJournal(root: string, entries: readonly JournalEntry[], name = 'system'): string {
  const folder = join(root, 'var/log/journal', MACHINE_ID)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.journal`)
  execFileSync(REMOTE, ['-o', file, '-'], {
    input: entries.map((entry, index) => `${exported(entry, index)}\n`).join(''),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  return file
}

function exported(entry: JournalEntry, index: number): string {
  const fields = {
    __REALTIME_TIMESTAMP: entry.timeMs * 1000,
    __MONOTONIC_TIMESTAMP: index + 1,
    _BOOT_ID: entry.bootId ?? bootIdOf('a'),
    _MACHINE_ID: MACHINE_ID,
    _HOSTNAME: 'vm',
    _TRANSPORT: 'syslog',
    _SYSTEMD_UNIT: entry.unit ?? 'app.service',
    SYSLOG_IDENTIFIER: 'app',
    PRIORITY: 6,
    MESSAGE: entry.message,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
