/** Files as a tar and as the members of an ar, the same bytes whenever and wherever they are written. */
import { buffer } from 'node:stream/consumers'
import tar from 'tar-stream'

export interface TreeFile {
  /** Without a leading slash. */
  readonly path: string
  readonly mode: number
  readonly content: Buffer
}

/**
 * A tar of the files and of the folders above them, in order, everything of root.
 * @param prefix stands before each path: './' as dpkg wants it, or a top folder.
 */
export async function tarOf(files: readonly TreeFile[], prefix: string, mtime: Date): Promise<Buffer> {
  const pack = tar.pack()
  const bytes = buffer(pack)
  const same = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime }
  for (const path of foldersOf(files)) pack.entry({ ...same, name: `${prefix}${path}`, type: 'directory', mode: 0o755 })
  for (const { path, mode, content } of sorted(files)) pack.entry({ ...same, name: `${prefix}${path}`, mode }, content)
  pack.finalize()
  return bytes
}

/** The archive format of a .deb: a header of 60 bytes in text, the content, a byte where that makes it even. */
export function arOf(members: readonly { name: string; content: Buffer }[], mtime: Date): Buffer {
  const seconds = String(mtime.getTime() / 1000)
  const parts = members.flatMap(({ name, content }) => {
    const fields = [name.padEnd(16), seconds.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)]
    const header = `${fields.join('')}${String(content.length).padEnd(10)}\x60\n`
    return [Buffer.from(header), content, Buffer.from(content.length % 2 === 1 ? '\n' : '')]
  })
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts])
}

/** Each before what is in it, the top one first. */
function foldersOf(files: readonly TreeFile[]): string[] {
  const folders = new Set([''])
  for (const { path } of files) {
    const names = path.split('/').slice(0, -1)
    for (const at of names.keys()) folders.add(`${names.slice(0, at + 1).join('/')}/`)
  }
  return [...folders].toSorted()
}

export function sorted(files: readonly TreeFile[]): TreeFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}
