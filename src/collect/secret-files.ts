/** Files that the configuration names because what stands in them is secret: each line is a value, `NAME=value` too. */
import { constants, open } from 'node:fs/promises'

/** More than any file of secrets. */
const MOST_BYTES = 256 * 1024

/** @throws Error that names the file which cannot be read: what stands in it would not be masked. */
export async function secretsIn(paths: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(paths.map(read))
  return texts.flatMap((text) =>
    text.split(/\r?\n/).flatMap((line) => {
      const value = line.trim()
      const assigned = /^(?:export\s+)?[A-Za-z_][\w.-]*\s*[=:]\s*["']?(.+?)["']?$/.exec(value)?.[1]
      return assigned === undefined ? [value] : [value, assigned]
    }),
  )
}

async function read(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Error(`${path} cannot be read: ${error.code}`, { cause: error })
  })
  // Not there yet: nothing of it can be in a log.
  if (!file) return ''
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > MOST_BYTES) throw new Error(`${path} is no file of at most ${MOST_BYTES} bytes`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
