/** The files of the database: new, set aside, and whether they are still the ones that were opened. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { SetAside } from './protocol.ts'

const MODE = 0o640
const FOLDER_MODE = 0o750
/** Beside a database: its write-ahead log, and the index of that. */
export const COMPANIONS = ['-wal', '-shm'] as const
/** Databases that are kept as evidence: the newest. */
const MOST_SET_ASIDE = 3

/** Makes the file where there is none, and opens it for reading. To be closed after SQLite has closed it. */
export function openOrCreate(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, MODE)
  // Whatever the umask says. The files beside it get the same.
  fchmodSync(fd, MODE)
  const folder = openSync(dirname(path), constants.O_RDONLY)
  fsyncSync(folder)
  closeSync(folder)
  return fd
}

export interface Identity {
  readonly main: number
  readonly log: number
}

export function identityOf(path: string): Identity | undefined {
  const main = statSync(path, { throwIfNoEntry: false })
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return main && { main: main.ino, log: log?.ino ?? 0 }
}

/** The database and its log, bytes. */
export function sizeOf(path: string): number {
  return lengthOf(path) + logSizeOf(path)
}

export function logSizeOf(path: string): number {
  return lengthOf(`${path}-wal`)
}

function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Reads all of it within so many milliseconds: what is then in memory is checked quickly. */
export function isReadWithin(fd: number, milliseconds: number): boolean {
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  const began = performance.now()
  const { size } = fstatSync(fd)
  for (let at = 0; at < size; at += buffer.length) {
    if (readSync(fd, buffer, 0, buffer.length, at) === 0) break
    if (performance.now() - began > milliseconds) return false
  }
  return true
}

/** Gives the database another name, with what belongs to it, and lets go of the oldest that were set aside. */
export function setAside(path: string, why: SetAside['why']): string {
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, '')
  const name = `${path}.${why}-${stamp}`
  // The log first: a new database beside an old log would be taken for its own.
  for (const companion of COMPANIONS.toReversed()) renameIfThere(path + companion, name + companion)
  renameIfThere(path, name)
  const old = setAsideAmong(readdirSync(dirname(path)), path).filter((one) =>
    COMPANIONS.every((companion) => !one.endsWith(companion)),
  )
  for (const one of old.slice(MOST_SET_ASIDE))
    for (const companion of ['', ...COMPANIONS]) rmSync(one + companion, { force: true })
  return name
}

/** Newest first; the files that belong to one stand behind it. Does not block: the disk may not answer. */
export async function listSetAside(path: string): Promise<string[]> {
  return setAsideAmong(await readdir(dirname(path)), path)
}

function setAsideAmong(names: readonly string[], path: string): string[] {
  const pattern = /\.(?:damaged|newer|foreign)-(\d{8}T\d{9}Z)(-wal|-shm)?$/
  const found = names
    .filter((name) => name.startsWith(`${basename(path)}.`))
    .map((name) => ({ name, match: pattern.exec(name.slice(basename(path).length)) }))
    .filter(({ match }) => match !== null)
    .toSorted((a, b) => compare(b.match![1]!, a.match![1]!) || compare(a.name, b.name))
  return found.map(({ name }) => join(dirname(path), name))
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
