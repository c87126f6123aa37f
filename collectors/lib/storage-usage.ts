/** How full the file systems are. */
import type { FileSystemFacts, Kit } from '../../src/collector.ts'
import { bytes, inParallel, percent, table } from './proc-text.ts'
import { realMounts } from './storage-mounts.ts'
import type { Mount, RealMount } from './storage-mounts.ts'

/** A host of containers has hundreds of tmpfs; more are counted. */
const mostMounts = 500

interface Row {
  readonly mount: RealMount
  readonly facts?: FileSystemFacts
  readonly problem?: string
}

/** Blocks and inodes of each mounted file system, fullest first. One that does not answer costs its own row only. */
export async function usageText(kit: Kit, mounts: readonly Mount[]): Promise<string> {
  const real = realMounts(mounts)
  const rows = await inParallel(real.slice(0, mostMounts), 8, kit.signal, (mount) => ask(kit, mount))
  const sorted = rows.toSorted((a, b) => fullness(b) - fullness(a))
  const cut = real.length > mostMounts ? `CUT: ${real.length - mostMounts} more file systems were not asked.\n` : ''
  const titles = [
    '>USE',
    '>SIZE',
    '>USED',
    '>AVAIL',
    '>IUSE',
    '>INODES',
    '>IFREE',
    'MODE',
    'TYPE',
    'MOUNT POINT',
    'SOURCE',
    'NOTE',
  ]
  return (
    'File systems, fullest first (space or inodes); without views of the kernel, read-only images and the file systems of containers.\n' +
    `AVAIL: for users without privileges. USE counts what is reserved for root as not there, as df does.\n${cut}\n` +
    table(titles, sorted.map(cells))
  )
}

async function ask(kit: Kit, mount: RealMount): Promise<Row> {
  try {
    return { mount, facts: await kit.statfs(mount.mountPoint) }
  } catch (error) {
    return { mount, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** What does not answer is the worst of all; file systems without inodes (btrfs, vfat) say 0 of 0. */
function fullness({ facts }: Row): number {
  if (!facts) return Infinity
  const used = facts.blocks - facts.blocksFree
  const blocks = used / Math.max(1, used + facts.blocksAvailable)
  return Math.max(blocks, facts.inodes > 0 ? 1 - facts.inodesFree / facts.inodes : 0)
}

function cells({ mount, facts, problem }: Row): string[] {
  // A file system turns read-only by itself after an error: the option of the file system tells, not that of the mount.
  const mode = mount.superOptions.split(',').includes('ro') || mount.options.split(',').includes('ro') ? 'ro' : 'rw'
  const note = [problem ?? '', mount.others > 0 ? `also mounted at ${mount.others} other places` : ''].filter(Boolean)
  const place = [mode, mount.type, mount.mountPoint, mount.source, note.join('; ')]
  if (!facts) return ['?', '?', '?', '?', '?', '?', '?', ...place]
  const used = facts.blocks - facts.blocksFree
  const inBytes = (blocks: number) => bytes(blocks * facts.blockSizeBytes)
  return [
    percent(used, used + facts.blocksAvailable),
    inBytes(facts.blocks),
    inBytes(used),
    inBytes(facts.blocksAvailable),
    percent(facts.inodes - facts.inodesFree, facts.inodes),
    String(facts.inodes),
    String(facts.inodesFree),
    ...place,
  ]
}
