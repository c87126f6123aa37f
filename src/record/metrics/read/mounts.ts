/**
 * Mounted file systems: the table of PID 1, sizes by statfs(2).
 *
 * What needs the answer of a server or of a process (network, FUSE, autofs) is not asked: the call could hold this thread
 * for ever, and samples start no children. Such a mount has a row that says so.
 */
import { statfsSync } from 'node:fs'
import { MountTable, parseMountinfo, type Mount } from '../../../sources/mounts.ts'
import { printable } from '../../../sources/paths.ts'
import type { ReadingRow } from '../metric.ts'
import type { Files } from './files.ts'
import type { Part, Reader } from './reader.ts'

export type Space = Readonly<Record<'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree', number>>
export type StatFs = (path: string) => Space

/** Hosts of containers have hundreds, nearly all of them left out by what they are; more are counted. */
const MOST_MOUNTS = 64

/** Views of the kernel, which hold no blocks, and images, which are always full. */
const noSpace =
  /^(?:autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|mqueue|nsfs|nfsd|proc|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|sysfs|tracefs|squashfs|erofs|iso9660|cramfs|fuse\.(?:lxcfs|snapfuse|portal|gvfsd-fuse))$/

/**
 * The file systems of containers lie on one that is listed, or in memory, and there may be hundreds. Below /proc and /sys
 * lies what holds nothing but mount points.
 */
const nobodys =
  /^\/(?:proc|sys)\/|^\/(?:var\/lib|run)\/(?:docker|containerd|containers|kubelet|netns|user\/\d+\/containers)\//

export function mountsReader(files: Files, statfs: StatFs = (path) => statfsSync(path)): Reader {
  const table = tableReader(files)
  return {
    name: 'mounts',
    read(): Part {
      const { listed, own, left } = table()
      const rows = listed.flatMap((mount) => rowOf(mount, own, (path) => statfs(files.root + path)) ?? [])
      return { host: { left_out_mount_count: left }, rows }
    },
  }
}

interface Table {
  readonly listed: readonly Mount[]
  /** As this process sees them, which a unit file may have changed. */
  readonly own: MountTable
  readonly left: number
}

/** Parses the tables only when they changed. */
function tableReader(files: Files): () => Table {
  let [ofInit, ofSelf] = [Buffer.alloc(0), Buffer.alloc(0)]
  let table: Table = { listed: [], own: new MountTable([]), left: 0 }
  return () => {
    const self = Buffer.from(files.bytes('/proc/self/mountinfo') ?? '')
    const init = Buffer.from(bytesOfInit(files) ?? self)
    if (init.equals(ofInit) && self.equals(ofSelf)) return table
    ;[ofInit, ofSelf] = [init, self]
    const spaces = onePerFileSystem(parseMountinfo(init))
    const listed = spaces.slice(0, MOST_MOUNTS)
    table = { listed, own: new MountTable(parseMountinfo(self)), left: spaces.length - listed.length }
    return table
  }
}

/** Those of PID 1 may be read with CAP_SYS_PTRACE only; without it one's own will do. */
function bytesOfInit(files: Files): Buffer | undefined {
  try {
    return files.bytes('/proc/1/mountinfo')
  } catch {
    return undefined
  }
}

/** Bind mounts show the same numbers again: of each file system the mount with the shortest path, where nothing covers it. */
function onePerFileSystem(mounts: readonly Mount[]): Mount[] {
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()]
  const spaces = visible.filter(
    ({ type, mountPoint }) =>
      !noSpace.test(type) && !(type === 'overlay' && mountPoint !== '/') && !nobodys.test(mountPoint),
  )
  return [...Map.groupBy(spaces, ({ device }) => device).values()].map((same) =>
    same.reduce((best, mount) => (mount.mountPoint.length < best.mountPoint.length ? mount : best)),
  )
}

function rowOf(mount: Mount, own: MountTable, statfs: StatFs): ReadingRow | undefined {
  const { mountPoint, type, source } = mount
  const labels = { mountpoint: printable(mountPoint), device: printable(source), fstype: type }
  const fault = (problem: string) => ({ subject: 'mount' as const, labels, values: { device_error: 1 }, problem })
  if (own.dangerous(mountPoint)) {
    return {
      subject: 'mount',
      labels,
      values: {},
      problem: `a mount of type ${type} is not asked: it may never answer`,
    }
  }
  // A unit file may hide a mount from diagd, or put another in its place, whose numbers would be given for it.
  if (own.at(mountPoint)?.device !== mount.device) return fault('it is hidden from diagd')
  try {
    const values = numbers(mount, statfs(mountPoint))
    return values && { subject: 'mount', labels, values }
  } catch (error) {
    return fault(`statfs: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}

/** undefined for a file system without blocks, which df leaves out too. */
function numbers({ options, fileSystemOptions }: Mount, facts: Space) {
  const { bsize, blocks, bfree, bavail, files, ffree } = facts
  if (blocks === 0) return undefined
  return {
    size_bytes: blocks * bsize,
    used_bytes: (blocks - bfree) * bsize,
    free_bytes: bfree * bsize,
    available_bytes: bavail * bsize,
    reserved_bytes: (bfree - bavail) * bsize,
    // btrfs and vfat say 0 of 0.
    ...(files > 0 && { inodes: files, inodes_free: ffree }),
    // A file system turns read-only by itself after an error; that shows in its own options.
    readonly: options.includes('ro') || fileSystemOptions.includes('ro') ? 1 : 0,
    device_error: 0,
  }
}
