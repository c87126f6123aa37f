/** Which real paths may be read for a path that was asked for. */
import { DangerousMountError, mountTable } from './mounts.ts'
import { neverReadReason } from './never-read.ts'
import { isUnder, printable } from './paths.ts'
import { resolvePath } from './resolve.ts'
import { SourceError, type SourceContext } from './source.ts'

export interface Confinement {
  /** The path that was asked for. */
  readonly path: string
  /** The folder its real path must stay under. */
  readonly root: string
  /** Other folders a link may lead under. */
  readonly within: readonly string[]
}

/** Throws `withheld` for a path on the never-read list. */
export function refuseNeverRead(path: string): void {
  const reason = neverReadReason(path)
  if (reason) throw new SourceError('withheld', `${printable(path)} is never read: ${reason}`)
}

/**
 * Throws `withheld` when `real` is on the never-read list or outside the folders allowed: whoever may write to a log folder
 * could else have any file handed over by a link.
 */
export async function confine(ctx: SourceContext, real: string, asked: Confinement): Promise<void> {
  const linked = real === asked.path ? '' : `${printable(asked.path)} is a link; `
  const reason = neverReadReason(real)
  if (reason) throw new SourceError('withheld', `${linked}${printable(real)} is never read: ${reason}`)
  // No link on the way to the file: none on the way to its root either.
  if (real === asked.path && isUnder(real, asked.root)) return
  for (const folder of [asked.root, ...asked.within]) {
    if (isUnder(real, await realFolder(ctx, folder))) return
  }
  // The links in sysfs are made by the kernel and lead to sysfs.
  const mounts = await mountTable(ctx)
  if (mounts.at(asked.path)?.type === 'sysfs' && mounts.at(real)?.type === 'sysfs') return
  const out = `leads out of ${printable(asked.root)}`
  throw new SourceError('withheld', `${printable(asked.path)} is a link to ${printable(real)}, which ${out}`)
}

async function realFolder(ctx: SourceContext, folder: string): Promise<string> {
  try {
    return (await resolvePath(ctx, folder)).path
  } catch (error) {
    return error instanceof DangerousMountError ? error.path : folder
  }
}
