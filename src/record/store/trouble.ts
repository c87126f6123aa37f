/** What SQLite and the file system say when they cannot, in words for people. */
import { statfsSync } from 'node:fs'

/** Below that, a full disk is still full. */
const FREE_BYTES = 1024 * 1024

export class Trouble {
  /** As SQLite or the system names it: `SQLITE_FULL`, `EROFS`. */
  readonly code: string
  readonly reason: string
  constructor(error: unknown) {
    const { code, message } = error as Error & { code?: string }
    this.code = code ?? 'ERROR'
    this.reason = `${said(this.code) ?? message} (${this.code})`
  }

  get diskIsFull(): boolean {
    return this.code === 'SQLITE_FULL' || this.code === 'ENOSPC' || this.code === 'EDQUOT'
  }

  /** The open database is as good as before; it only has to wait. */
  get passes(): boolean {
    return this.diskIsFull || this.code.startsWith('SQLITE_BUSY')
  }
}

/** What SQLite says of a file that is no database, or no longer one. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB)/.test((error as { code?: string } | undefined)?.code ?? '')
}

/** Whether there is room for more than the next few events. */
export function hasRoom(folder: string): boolean {
  const { bsize, bavail, bfree } = statfsSync(folder)
  return bsize * (process.geteuid?.() === 0 ? bfree : bavail) >= FREE_BYTES
}

function said(code: string): string | undefined {
  if (['SQLITE_FULL', 'ENOSPC'].includes(code)) return 'the disk is full'
  if (code === 'EDQUOT') return 'the quota is used up'
  if (code.startsWith('SQLITE_BUSY')) return 'another program holds the database locked'
  if (code === 'EROFS' || code.startsWith('SQLITE_READONLY')) return 'it may not be written: read-only'
  if (code.startsWith('SQLITE_IOERR')) return 'the disk has errors'
  return undefined
}
