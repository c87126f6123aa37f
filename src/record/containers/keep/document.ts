/** A document of a container: replaced as a whole, or not at all. */
import { closeSync, fdatasyncSync, ftruncateSync, renameSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DocumentName } from '../container.ts'
import { makeFolder, openOwn, writeAll } from './disk.ts'
import { unlessGone } from './open-log-file.ts'

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

/** undefined when there is none. Rejects with an ErrnoException. */
export function readDocument(folder: string, name: DocumentName): Promise<Buffer | undefined> {
  return unlessGone(readFile(join(folder, name)))
}
