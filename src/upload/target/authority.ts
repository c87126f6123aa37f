/** Whose certificates are trusted. */
import { readFile } from 'node:fs/promises'
import { failed } from './failed.ts'

/** PEM. @throws Failed */
export async function readAuthority(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw failed('tls', `the authority ${path} cannot be read (${error.code})`)
  })
}
