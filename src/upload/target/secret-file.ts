/** A file with a secret in it: taken only if nobody else can read or write it. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { failed } from './failed.ts'

const MOST_BYTES = 64 * 1024

/** @throws Failed `credentials-missing`, which quotes nothing of it. */
export async function readSecretFile(path: string): Promise<string> {
  // Without O_NONBLOCK a FIFO would hold the upload for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw missing(path, error.code === 'ENOENT' ? 'it is not there' : `it cannot be read (${error.code})`)
  })
  try {
    const stats = await file.stat()
    const uid = process.getuid!()
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
    if (!stats.isFile()) throw missing(path, 'it is not a regular file')
    if (stats.uid !== 0 && stats.uid !== uid)
      throw missing(path, `it belongs to uid ${stats.uid}; accepted: root or uid ${uid}`)
    if ((stats.mode & 0o077) !== 0)
      throw missing(path, `others may read or write it (mode ${mode}); accepted: 0600 (chmod 600 ${path})`)
    if (stats.size > MOST_BYTES) throw missing(path, `it is larger than ${MOST_BYTES} bytes`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stats.size), 0, stats.size, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function missing(path: string, why: string) {
  return failed('credentials-missing', `${path} is not used: ${why}`)
}
