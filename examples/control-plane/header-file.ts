/** Credentials in files of mode 0600: read each time, so that a new one needs no restart. */
import { readFile } from 'node:fs/promises'
import { Problem } from './problems.ts'

/**
 * Lines `Name: value`, as `curl -H @FILE` takes them; names in lower case.
 * @throws Problem
 */
export async function headersOf(node: string, key: string, path: string): Promise<Record<string, string>> {
  const lines = (await fileOf(node, key, path)).split('\n').filter((line) => line.trim() !== '')
  return Object.fromEntries(
    lines.map((line, index) => {
      const match = /^([\w-]+):[ \t]*([\x21-\x7e][\x20-\x7e]*?)\s*$/.exec(line)
      // The line itself is a secret.
      if (!match) throw new Problem('internal', `line ${index + 1} of its ${key} is no "Name: value"`, { node })
      return [match[1]!.toLowerCase(), match[2]!]
    }),
  )
}

/** @throws Problem */
export async function fileOf(node: string, key: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Problem('internal', `its ${key} cannot be read: ${(error as Error).message}`, { node, cause: error })
  }
}
