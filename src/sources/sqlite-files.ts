/**
 * Raw descriptors of database files. POSIX drops every lock that the process has on a file when any descriptor of it is
 * closed, also SQLite's, in whatever thread; another program that opens and closes the database would then take its log away
 * from under whoever writes. So no descriptor is closed while somebody in this process has the database open.
 */
import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'

export interface HeldFile {
  readonly handle: FileHandle
  /** To be called when SQLite has closed it. */
  release(): Promise<void>
}

interface Entry {
  /** The first is used; others came to be when two opened it at the same time. */
  readonly handles: FileHandle[]
  users: number
}

const entries = new Map<string, Entry>()

/** @throws errors of the file system; Error when it is no regular file. */
export async function holdFile(path: string): Promise<HeldFile> {
  const known = entries.get(keyOf(await stat(path)))
  if (known) return held(known)
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const stats = await handle.stat()
  if (!stats.isFile()) {
    await handle.close()
    throw new Error(`${path} is not a regular file`)
  }
  const key = keyOf(stats)
  const entry = entries.get(key) ?? { handles: [], users: 0 }
  entry.handles.push(handle)
  entries.set(key, entry)
  return held(entry)
}

function held(entry: Entry): HeldFile {
  entry.users += 1
  let released = false
  const release = async () => {
    if (released) return
    released = true
    entry.users -= 1
    if (entry.users > 0) return
    for (const [key, other] of entries) if (other === entry) entries.delete(key)
    await Promise.all(entry.handles.map((handle) => handle.close()))
  }
  return { handle: entry.handles[0]!, release }
}

function keyOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`
}
