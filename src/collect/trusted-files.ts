/** Files that run or steer code with the daemon's rights: only those that nobody else can write. */
import { lstat, readdir } from 'node:fs/promises'

/** Names in the folder, sorted, that are regular files of root or `uid` and not writable by others; the rest as problems. */
export async function trustedFiles(folder: string, uid: number): Promise<{ files: string[]; problems: string[] }> {
  let names: string[]
  try {
    names = (await readdir(folder)).sort().filter((name) => !name.startsWith('.'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { files: [], problems: code === 'ENOENT' ? [] : [`${folder} cannot be read: ${(error as Error).message}`] }
  }
  const distrust = names.length === 0 ? undefined : await whyNot(folder, uid, 'directory')
  if (distrust !== undefined) return { files: [], problems: [`${folder} is not used: ${distrust}`] }
  const files: string[] = []
  const problems: string[] = []
  for (const name of names) {
    const reason = await whyNot(`${folder}/${name}`, uid, 'file')
    if (reason === undefined) files.push(name)
    else problems.push(`${folder}/${name} is not used: ${reason}`)
  }
  return { files, problems }
}

/** Write permission of group and others. */
const OTHERS_WRITE = 0o022

async function whyNot(path: string, uid: number, kind: 'file' | 'directory'): Promise<string | undefined> {
  try {
    const stats = await lstat(path)
    if (kind === 'file' ? !stats.isFile() : !stats.isDirectory())
      return `it is not a ${kind === 'file' ? 'regular file' : 'folder'}`
    if (stats.uid !== 0 && stats.uid !== uid)
      return `it belongs to uid ${stats.uid}; it has to belong to root or uid ${uid}`
    if ((stats.mode & OTHERS_WRITE) !== 0)
      return `others may write it (mode ${(stats.mode & 0o777).toString(8)}); chmod go-w it`
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
