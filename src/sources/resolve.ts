/** The real path of a path of the host, found component by component, so that no dangerous mount is touched. */
import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { DangerousMountError, mountTable } from './mounts.ts'
import { components, onDisk, pathText, printable } from './paths.ts'
import { lookMs, patiently } from './patience.ts'
import { accessError } from './refusal.ts'
import { SourceError, type SourceContext } from './source.ts'

export interface Resolved {
  /** Absolute, without links, `.` and `..`; '/' for the root. Like every path of the host it is without `ctx.root`. */
  readonly path: string
  readonly stats: Stats
}

/** As in the kernel (path_resolution(7)). */
const mostLinks = 40

/**
 * Resolves a path as if `ctx.root` were the root. With `keepLink` a link in last place stays one.
 *
 * Throws a `DangerousMountError` before the first component on such a mount; `failed` for a loop of links; `skipped`
 * where a component may not be searched; the error of lstat(2) for the rest (`ENOENT`, `ENOTDIR`).
 */
export async function resolvePath(ctx: SourceContext, path: string, keepLink = false): Promise<Resolved> {
  const mounts = await mountTable(ctx)
  const pending = components(path).toReversed()
  let links = 0
  let current = ''
  // Of `current`, as far as it was looked at.
  let stats: Stats | undefined
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const next = name === '..' ? current.slice(0, Math.max(0, current.lastIndexOf('/'))) : `${current}/${name}`
    const mount = mounts.dangerous(next)
    if (mount) throw new DangerousMountError(mount, [next, ...pending.toReversed()].join('/'))
    stats = await lstatOf(ctx, next || '/', current || '/')
    if (!stats.isSymbolicLink() || (keepLink && pending.length === 0)) {
      current = next
      continue
    }
    links += 1
    if (links > mostLinks) throw new SourceError('failed', `${printable(path)} is a loop of links`)
    const target = await linkTarget(ctx, next)
    if (target.startsWith('/')) current = ''
    stats = undefined
    pending.push(...components(target).toReversed())
  }
  const real = current || '/'
  return { path: real, stats: stats ?? (await lstatOf(ctx, real)) }
}

/** Where a link points, as it is written. */
export async function linkTarget(ctx: SourceContext, link: string): Promise<string> {
  const asking = readlink(onDisk(ctx, link), { encoding: 'buffer' })
  return pathText(await patiently(asking, printable(link), { ms: lookMs, signal: ctx.signal }))
}

async function lstatOf(ctx: SourceContext, path: string, folder = '/'): Promise<Stats> {
  try {
    return await patiently(lstat(onDisk(ctx, path)), printable(path), { ms: lookMs, signal: ctx.signal })
  } catch (error) {
    // What may not be looked up lies in a folder that may not be searched.
    throw await accessError(ctx, folder, error)
  }
}
