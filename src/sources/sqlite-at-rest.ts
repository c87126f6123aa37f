/**
 * A database that waits: in WAL mode, and without a log, so nobody has it open and all of it is in its file. SQLite would make a
 * log and the log's index for whoever only looks, and leave both behind; told that the file does not change, it makes none.
 */
import { stat, type FileHandle } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { patiently, type Patience } from './patience.ts'
import { errorCode } from './refusal.ts'
import { SourceError } from './source.ts'
import { holdFile } from './sqlite-files.ts'

/** Where the header tells how the database is to be read (https://www.sqlite.org/fileformat2.html#the_database_header). */
const READ_VERSION = 19
const IN_WAL_MODE = 2

/** @throws errors of the file system. */
export async function isAtRest(main: FileHandle, path: string): Promise<boolean> {
  const { buffer, bytesRead } = await main.read(Buffer.alloc(READ_VERSION + 1), 0, READ_VERSION + 1, 0)
  if (bytesRead <= READ_VERSION || buffer[READ_VERSION] !== IN_WAL_MODE) return false
  return stat(`${path}-wal`).then(
    () => false,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return true
      throw error
    },
  )
}

export interface Reading {
  /** What SQLite is to open, read-only. It takes a URL for one only where it was told so before it was loaded (src/cli.ts). */
  readonly name: string
  /** To be called when SQLite has closed it. */
  release(): Promise<void>
}

/** @throws SourceError `skipped` where there is no database, `timeout` when the disk does not answer; errors of the file system. */
export async function forReading(path: string, patience: Patience): Promise<Reading> {
  const { handle, release } = await patiently(holdFile(path), path, patience, (late) => late.release()).catch(
    (error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error
      throw new SourceError('skipped', `${path} does not exist`, { quiet: true })
    },
  )
  try {
    const atRest = await patiently(isAtRest(handle, path), path, patience)
    return { name: atRest ? `${pathToFileURL(path).href}?immutable=1` : path, release }
  } catch (error) {
    await release()
    throw error
  }
}
