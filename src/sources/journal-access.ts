/** Whether there is a journal, and whether this process may read it: journalctl does not say it under --quiet. */
import { constants, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface JournalAccess {
  /** Why there is nothing to read at all. */
  readonly refused?: string
  /** What is missing of what can be read. */
  readonly lacking?: string
}

const FOLDERS = ['/run/log/journal', '/var/log/journal']
const RIGHTS = 'needs root or membership of the group systemd-journal'

export async function journalAccess(root: string): Promise<JournalAccess> {
  const found = await Promise.all(FOLDERS.map((folder) => journalFiles(join(root, folder))))
  const files = found.flat()
  const unreadable = files.filter((readable) => !readable).length
  if (files.length === 0) return { refused: `no journal: no journal file under ${FOLDERS.join(' or ')}` }
  if (unreadable === files.length) return { refused: `the journal ${RIGHTS}` }
  return unreadable === 0 ? {} : { lacking: `only the journal files this user may read; the others: ${RIGHTS}` }
}

/** Whether each journal file in the folders of the machine ids may be read; a closed folder counts as one that may not. */
async function journalFiles(folder: string): Promise<boolean[]> {
  const machines = await readdir(folder).catch(() => [])
  const found = await Promise.all(machines.map((machine) => filesOf(join(folder, machine))))
  return found.flat()
}

async function filesOf(folder: string): Promise<boolean[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.journal~?$/.test(name))
    return await Promise.all(names.map((name) => isReadable(join(folder, name))))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? [false] : []
  }
}

/** By opening it: access(2) would ask for the real user, and knows nothing of other rules. */
async function isReadable(path: string): Promise<boolean> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    await file.close()
    return true
  } catch {
    return false
  }
}
