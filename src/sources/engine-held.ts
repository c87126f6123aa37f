/**
 * Whether an engine itself listens on a socket, or only systemd, which would start the engine for whoever connects: an engine that is being stopped has
 * closed its socket, while its unit is still active and its process still there.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import type { SourceContext } from './source.ts'

/** Of a listening socket in /proc/net/unix (`__SO_ACCEPTCON`). */
const LISTENING = 0x10000
const ENGINES = new Set(['dockerd', 'podman'])
const MOST_PROCESSES = 65_536
const MOST_DESCRIPTORS = 4096

/** undefined when it cannot be told: the socket is of another network namespace (a rootless engine), or descriptors may not be looked at. */
export async function engineListens(
  { root }: Pick<SourceContext, 'root'>,
  socket: string,
): Promise<boolean | undefined> {
  const inodes = await listening(root, socket)
  if (inodes.size === 0) return undefined
  const names = await readdir(`${root}/proc`).catch(() => [])
  let hidden = false
  for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, MOST_PROCESSES)) {
    const comm = await readFile(`${root}/proc/${pid}/comm`, 'utf8').catch(() => '')
    if (!ENGINES.has(comm.trimEnd())) continue
    const holds = await holdsOneOf(`${root}/proc/${pid}/fd`, inodes)
    if (holds) return true
    hidden ||= holds === undefined
  }
  return hidden ? undefined : false
}

async function listening(root: string, socket: string): Promise<Set<string>> {
  const text = await readFile(`${root}/proc/net/unix`, 'utf8').catch(() => '')
  const wanted = plain(socket)
  const found = text.split('\n').flatMap((line) => {
    // Num: RefCount Protocol Flags Type St Inode Path
    const [, , , flags = '', , , inode, ...path] = line.trim().split(/ +/)
    const listens = (Number.parseInt(flags, 16) & LISTENING) !== 0
    return listens && inode !== undefined && plain(path.join(' ')) === wanted ? [`socket:[${inode}]`] : []
  })
  return new Set(found)
}

function plain(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/')
}

async function holdsOneOf(folder: string, inodes: ReadonlySet<string>): Promise<boolean | undefined> {
  const names = await readdir(folder).catch(() => undefined)
  if (!names) return undefined
  for (const name of names.slice(0, MOST_DESCRIPTORS)) {
    const target = await readlink(`${folder}/${name}`).catch(() => '')
    if (inodes.has(target)) return true
  }
  return false
}
