/** What diagd has recorded on a test machine: asked through its local door, and read from the database in a bundle. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Timeline } from '../../../collectors/lib/boot-timeline/types.ts'
import { temporaryFolder } from '../../helpers/archive.ts'
import type { Vm } from './vm.ts'

export const LOCAL_DOOR = ['--silent', '--show-error', '--fail', '--unix-socket', '/run/diagd/diagd.sock'] as const

export interface Told {
  readonly id: number
  readonly bootId: string
  readonly type: string
  readonly subject: string
  readonly message: string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** The newest 1000 at most. */
export async function eventsOf(vm: Vm, query: string): Promise<Told[]> {
  const url = `http://localhost/events?limit=1000&${query}`
  const { events, next } = JSON.parse(await vm.run('curl', ...LOCAL_DOOR, url)) as { events: Told[]; next?: string }
  if (next !== undefined) throw new Error(`more than 1000 events of ${query}`)
  return events
}

/** As one tells it: 0 is this boot, -1 the one before. */
export async function timelineOf(vm: Vm, boot: number): Promise<Timeline> {
  return JSON.parse(await timelineAs(vm, boot, 'json')) as Timeline
}

export function timelineAs(vm: Vm, boot: number, format: 'json' | 'txt' | 'svg'): Promise<string> {
  return vm.run('curl', ...LOCAL_DOOR, `http://localhost/boot?boot=${boot}&format=${format}`)
}

/** A database of a bundle, opened; closed and removed when `read` is done. */
export function withDatabase<Result>(bytes: Buffer, read: (db: Database.Database) => Result): Result {
  const folder = temporaryFolder()
  try {
    const file = join(folder.path, 'copy.db')
    writeFileSync(file, bytes)
    const db = new Database(file, { readonly: true })
    try {
      return read(db)
    } finally {
      db.close()
    }
  } finally {
    folder.remove()
  }
}
