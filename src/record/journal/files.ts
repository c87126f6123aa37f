/** Which files the journal has: whether there is one, whether all of it may be read, and how far back a first look goes. */
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder with journal files, or the root of the machine whose journal it is. */
export type JournalPlace = { readonly root: string } | { readonly directory: string }

export interface JournalFile {
  readonly sizeBytes: number
  readonly mtimeMs: number
}

export interface JournalFiles {
  readonly readable: readonly JournalFile[]
  /** Files or folders that this user may not read. */
  readonly closed: number
}

/** The oldest that a first look goes back to, and the most it reads, whichever comes first. */
const BACKFILL_MS = 7 * 24 * 3600_000
const BACKFILL_BYTES = 64 * 1024 * 1024

export async function journalFiles(place: JournalPlace): Promise<JournalFiles> {
  const folders = await Promise.all(tops(place).map(withSubfolders))
  const looks = await Promise.all(folders.flat().map(look))
  const all = looks.flat()
  return { readable: all.filter((file) => file !== 'closed'), closed: all.filter((file) => file === 'closed').length }
}

/** From when on the journal is read the first time, milliseconds since 1970: older files end before that. */
export function backfillSinceMs(files: readonly JournalFile[], nowMs: number): number {
  let bytes = 0
  const beyond = files
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs)
    .find(({ sizeBytes }, index) => {
      bytes += sizeBytes
      return index > 0 && bytes > BACKFILL_BYTES
    })
  return Math.max(0, nowMs - BACKFILL_MS, beyond?.mtimeMs ?? 0)
}

function tops(place: JournalPlace): string[] {
  if ('directory' in place) return [place.directory]
  return ['run/log/journal', 'var/log/journal'].map((folder) => join('/', place.root, folder))
}

async function withSubfolders(folder: string): Promise<string[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return [folder, ...names.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))]
}

async function look(folder: string): Promise<(JournalFile | 'closed')[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.journal~?$/.test(name))
    const files = await Promise.all(names.map((name) => lookAt(join(folder, name))))
    return files.filter((file) => file !== undefined)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? ['closed'] : []
  }
}

/** By opening it: access(2) would ask for the real user, and knows nothing of other rules. */
async function lookAt(path: string): Promise<JournalFile | 'closed' | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const { size, mtimeMs } = await file.stat()
    return { sizeBytes: size, mtimeMs }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'closed' : undefined
  }
}
