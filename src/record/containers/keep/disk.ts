/** Files of our own: made for us and our group alone, written to the end or not at all. */
import { closeSync, constants, fsyncSync, mkdirSync, openSync, writeSync, writevSync } from 'node:fs'
import { dirname } from 'node:path'

const FILE_MODE = 0o640
const FOLDER_MODE = 0o750

export function makeFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: FOLDER_MODE }) !== undefined) syncFolder(dirname(folder))
}

/** For reading and writing; made where it is missing. */
export function openOwn(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, FILE_MODE)
}

export function writeAll(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** The pieces one behind the other, as one write where the kernel takes it. */
export function writePieces(fd: number, pieces: readonly Buffer[], at: number): void {
  const written = writevSync(fd, pieces, at)
  const bytes = pieces.reduce((all, { length }) => all + length, 0)
  if (written < bytes) writeAll(fd, Buffer.concat(pieces).subarray(written), at + written)
}

/** New names in a folder are durable only then. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
