/** A machine of the test's own with logs, and the reader of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BundleDeps } from '../../../src/collect/deps.ts'
import type { LogLine } from '../../../src/collect/logs/line.ts'
import type { LogPage } from '../../../src/collect/logs/page.ts'
import { createLogReader, type LogReader } from '../../../src/collect/logs/reader.ts'
import { parsePageWish } from '../../../src/collect/logs/wish.ts'
import type { Parameters } from '../../../src/collect/request.ts'
import { ownFolder } from '../../helpers/daemon.ts'
import { testDeps } from '../../helpers/make-bundle.ts'
import { addToJournal, type Fields } from '../../record/helpers/journals.ts'

const NOON_US = Date.UTC(2026, 5, 15, 12) * 1000

export interface Machine {
  readonly root: string
  readonly reader: LogReader
  /** Adds entries to a file of its journal. */
  journal(entries: readonly Fields[], name?: string): string
  /** Writes a file below its root. */
  file(path: string, text: string): string
  page(parameters?: Parameters): Promise<LogPage>
  /** Pages until the end. */
  pages(parameters?: Parameters, each?: (page: LogPage) => void): Promise<LogLine[]>
}

/** Of a machine that is so busy that a journalctl takes longer to say its first word, a test would see nothing. */
const PATIENT = { stallMs: 60_000 }

export function machine(over: Partial<BundleDeps> = {}, limits: { readonly stallMs?: number } = PATIENT): Machine {
  const root = over.root ?? ownFolder()
  const reader = createLogReader(testDeps({}, { root, ...over }), limits)
  const folder = join(root, 'var/log/journal', MACHINE_ID)
  const page = (parameters: Parameters = {}) =>
    reader.page(parsePageWish(parameters, Date.now()), new AbortController().signal)
  return {
    root,
    reader,
    journal(entries, name) {
      mkdirSync(folder, { recursive: true })
      return addToJournal(folder, entries, name)
    },
    file(path, text) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    page,
    async pages(parameters = {}, each = () => {}) {
      const lines: LogLine[] = []
      let { cursor } = parameters
      for (;;) {
        const one = await page({ ...parameters, ...(cursor === undefined ? {} : { cursor }) })
        lines.push(...one.lines)
        each(one)
        if (one.ended === 'end') return lines
        cursor = one.cursor
      }
    },
  }
}

const MACHINE_ID = 'c'.repeat(32)
const BOOT = '5'.repeat(32)
let serial = 0

/** An entry of the journal, so many microseconds after noon. */
export function entry(afterUs: number, message: string, fields: Fields = {}): Fields {
  return {
    __REALTIME_TIMESTAMP: String(NOON_US + afterUs),
    __MONOTONIC_TIMESTAMP: String(1_000_000 + serial++),
    _BOOT_ID: BOOT,
    _MACHINE_ID: MACHINE_ID,
    _TRANSPORT: 'stdout',
    _SYSTEMD_UNIT: 'app.service',
    SYSLOG_IDENTIFIER: 'app',
    _PID: '812',
    PRIORITY: '6',
    MESSAGE: message,
    ...fields,
  }
}

/** A line of cloud-init.log, so many milliseconds after noon. */
export function cloudInit(afterMs: number, text: string, level = 'DEBUG'): string {
  const time = new Date(NOON_US / 1000 + afterMs).toISOString().replace('T', ' ').replace('.', ',').slice(0, -1)
  return `${time} - util.py[${level}]: ${text}\n`
}

export function messages(lines: readonly LogLine[]): string[] {
  return lines.map(({ message }) => message)
}
