/** Real journal files that grow, written by systemd-journal-remote; the recorded export of a machine. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export { canMakeJournals } from '../../helpers/journal.ts'

const REMOTE = '/lib/systemd/systemd-journal-remote'

const BOOT = '5'.repeat(32)
const START_MS = Date.parse('2026-01-02T03:00:00.000Z')

/** Fields of an entry; the time and the boot are made up when they are not among them. */
export type Fields = Readonly<Record<string, string>>

/** What systemd says when a unit failed, the `index`th second after the start. */
export function failed(index: number, unit = `app-${index}.service`): Fields {
  return at(index, {
    _PID: '1',
    _TRANSPORT: 'journal',
    SYSLOG_IDENTIFIER: 'systemd',
    PRIORITY: '4',
    MESSAGE: `${unit}: Failed with result 'exit-code'.`,
    MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c',
    UNIT: unit,
    UNIT_RESULT: 'exit-code',
  })
}

/** A line of no interest. */
export function chatter(index: number, message = `request ${index} served`): Fields {
  return at(index, { _PID: '812', _TRANSPORT: 'stdout', SYSLOG_IDENTIFIER: 'app', PRIORITY: '6', MESSAGE: message })
}

export function at(index: number, fields: Fields): Fields {
  return {
    __REALTIME_TIMESTAMP: String((START_MS + index * 1000) * 1000),
    __MONOTONIC_TIMESTAMP: String((index + 10) * 1_000_000),
    _BOOT_ID: BOOT,
    _MACHINE_ID: 'c'.repeat(32),
    ...fields,
  }
}

/** Adds entries to a journal file, which is made when it is not there. */
export function addToJournal(folder: string, entries: readonly Fields[], name = 'system'): string {
  return importJournal(folder, Buffer.concat(entries.map(exported)), name)
}

/** The same from the export format. */
function importJournal(folder: string, input: Buffer, name = 'system'): string {
  const file = join(folder, `${name}.journal`)
  execFileSync(REMOTE, ['-o', file, '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] })
  return file
}

const RECORDED = join(import.meta.dirname, '../../fixtures/journal-export')

export function recorded(name: string): Buffer {
  return readFileSync(join(RECORDED, name))
}

/** Values with line breaks are written with their length, as the format wants it. */
function exported(fields: Fields): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => {
    const bytes = Buffer.from(value)
    if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`)
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(bytes.length))
    return Buffer.concat([Buffer.from(`${name}\n`), size, bytes, Buffer.from('\n')])
  })
  return Buffer.concat([...lines, Buffer.from('\n')])
}
