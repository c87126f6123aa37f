/** Why a file is not read, in one sentence a person can act on. */
import { lstat, readFile } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { FileFacts } from '../collector.ts'
import { onDisk, printable } from './paths.ts'
import { SourceError, type SourceContext } from './source.ts'

/** `EACCES` and `EPERM` as a `skipped` that names mode and owner; every other error as it is. */
export async function accessError(ctx: SourceContext, path: string, error: unknown): Promise<unknown> {
  const code = errorCode(error)
  if (code !== 'EACCES' && code !== 'EPERM') return error
  const stats = await lstat(onDisk(ctx, path)).catch(() => undefined)
  const facts = stats ? ` (${await modeAndOwner(ctx, stats)})` : ''
  const advice = process.geteuid?.() === 0 ? ', though asked as root' : '; run as root to include it'
  return new SourceError('skipped', `permission denied: ${printable(path)}${facts}${advice}`, { cause: error })
}

/** An error of the file system as a `SourceError`. `listed`: a glob has seen the file a moment ago. */
export async function openingError(
  ctx: SourceContext,
  path: string,
  error: unknown,
  listed: boolean,
): Promise<unknown> {
  if (error instanceof SourceError || ctx.signal.aborted) return error
  const named = printable(path)
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') {
    return listed
      ? new SourceError('failed', `${named} vanished between listing and opening`, { cause: error })
      : new SourceError('skipped', `${named} does not exist`, { cause: error, quiet: true })
  }
  const denied = await accessError(ctx, path, error)
  if (denied instanceof SourceError) return denied
  return new SourceError('failed', `${named} cannot be read: ${code ?? String(error)}`, { cause: error })
}

/** The code of a file-system error: `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

export function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'link'
  if (stats.isSocket()) return 'socket'
  return stats.isFIFO() ? 'fifo' : 'device'
}

async function modeAndOwner(ctx: SourceContext, stats: Stats): Promise<string> {
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
  const user = await nameOf(ctx, '/etc/passwd', stats.uid)
  return `mode ${mode} ${user}:${await nameOf(ctx, '/etc/group', stats.gid)}`
}

/** The name of an id in passwd(5) or group(5), else the number. */
async function nameOf(ctx: SourceContext, file: string, id: number): Promise<string> {
  const text = await readFile(onDisk(ctx, file), 'utf8').catch(() => '')
  const row = text.split('\n').find((line) => line.split(':')[2] === String(id))
  return row?.split(':')[0] ?? String(id)
}
