/** A document of a container: replaced as a whole, or not at all. */
import { closeSync, fdatasyncSync, ftruncateSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { DocumentName } from '../container.ts'
import { makeFolder, openOwn, writeAll } from './disk.ts'

/** @throws ErrnoException */
export function writeDocument(folder: string, name: DocumentName, bytes: Buffer): void {
  makeFolder(folder)
  const path = join(folder, name)
  const fd = openOwn(`${path}.new`)
  try {
    ftruncateSync(fd, 0)
    writeAll(fd, bytes, 0)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
}

export function readDocument(folder: string, name: DocumentName): Buffer | undefined {
  try {
    return readFileSync(join(folder, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
