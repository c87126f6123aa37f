/** Which mount a path is on, and which mounts may never answer. Format: proc_pid_mountinfo(5). */
import { readFile, realpath } from 'node:fs/promises'
import { pathText } from './paths.ts'
import { SourceError, type SourceContext } from './source.ts'

export interface Mount {
  readonly mountPoint: string
  /** As the kernel names it: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string
  /** `major:minor` of the file system: the same for all bind mounts of one. */
  readonly device: string
  /** The folder of the file system that is mounted there: `/` but for bind mounts and control groups of containers. */
  readonly root: string
  /** What is mounted: `/dev/sda1`, `server:/export`, `tmpfs`. */
  readonly source: string
  /** `rw`, `ro`, …, of this mount and of the file system. */
  readonly options: readonly string[]
  readonly fileSystemOptions: readonly string[]
}

/**
 * File systems that need somebody else's answer: a server, or a process. A call on one of them can block for ever, and
 * four blocked calls fill libuv's pool. autofs is here because touching it mounts something.
 */
const needsAnswer =
  /^(?:autofs|nfs4?|cifs|smb\w*|fuse|fuseblk|fuse\..+|9p|virtiofs|ceph|glusterfs|lustre|k?afs|davfs|coda|ncpfs|ocfs2|gfs2?|gpfs|beegfs|orangefs|pvfs2|panfs|vboxsf|vmhgfs|prl_fs)$/

/** The kernel's views: their sizes mean nothing, they are read to their end. */
const views =
  /^(?:proc|sysfs|cgroup2?|debugfs|tracefs|securityfs|selinuxfs|configfs|bpf|binfmt_misc|resctrl|fusectl|rpc_pipefs|nfsd)$/

/** How long one reading of the table counts: mounts come and go while a bundle is made. */
const freshMs = 1000

const tables = new WeakMap<object, { readAtMs: number; table: Promise<MountTable> }>()

/** The mounts as they are now (at most a second old). Without /proc there are none. */
export function mountTable(ctx: Pick<SourceContext, 'root' | 'dbus'>): Promise<MountTable> {
  // A context is copied for every entry; this object is the same in all those of one bundle.
  const known = tables.get(ctx.dbus)
  if (known && performance.now() - known.readAtMs < freshMs) return known.table
  const table = readTable(ctx.root)
  tables.set(ctx.dbus, { readAtMs: performance.now(), table })
  return table
}

export class MountTable {
  /** The real path of `ctx.root`; '' for `/`. */
  readonly root: string
  readonly #byPoint: ReadonlyMap<string, Mount>
  constructor(mounts: readonly Mount[], root = '') {
    this.root = root
    // A later mount on the same point covers the earlier one.
    this.#byPoint = new Map(mounts.map((mount) => [mount.mountPoint, mount]))
  }

  /** The mount a path of the host (without `ctx.root`, links resolved) is on. */
  at(path: string): Mount | undefined {
    let folder = this.root + path
    while (folder !== '' && folder !== '/') {
      const mount = this.#byPoint.get(folder)
      if (mount) return mount
      folder = folder.slice(0, folder.lastIndexOf('/'))
    }
    return this.#byPoint.get('/')
  }

  /** The mount a path is on if it must not be touched in this process. What the root itself lives on is trusted. */
  dangerous(path: string): Mount | undefined {
    const mount = this.at(path)
    if (!mount || !needsAnswer.test(mount.type)) return undefined
    const rootMount = this.#byPoint.get('/')
    return mount.mountPoint === '/' || mount.device === rootMount?.device ? undefined : mount
  }

  /** Whether a path is the kernel's view of something (/proc, /sys, cgroups) and no stored file. */
  isView(path: string): boolean {
    return views.test(this.at(path)?.type ?? '')
  }
}

/** A path leads to a mount that is not touched in this process. `path` is resolved as far as the mount. */
export class DangerousMountError extends SourceError {
  readonly mount: Mount
  readonly path: string
  constructor(mount: Mount, path: string) {
    super('skipped', `${mount.mountPoint} is a mount of type ${mount.type}, which is not touched: it may never answer`)
    this.name = 'DangerousMountError'
    this.mount = mount
    this.path = path
  }
}

/** The lines of mountinfo; a line that is none is left out. */
export function parseMountinfo(bytes: Uint8Array): Mount[] {
  // latin1 keeps every byte apart until the escapes are decoded.
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  return lines.map((line) => parseLine(line)).filter((mount) => mount !== undefined)
}

function parseLine(line: string): Mount | undefined {
  const [left, right] = line.split(' - ')
  const [, , device, root = '', mountPoint, options = ''] = left?.split(' ') ?? []
  const [type, source = '', fileSystemOptions = ''] = right?.split(' ') ?? []
  if (!device || !mountPoint || !type) return undefined
  return {
    device,
    type,
    mountPoint: unescaped(mountPoint),
    root: unescaped(root),
    source: unescaped(source),
    options: options.split(','),
    fileSystemOptions: fileSystemOptions.split(','),
  }
}

function unescaped(text: string): string {
  const bytes = text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return pathText(Buffer.from(bytes, 'latin1'))
}

async function readTable(root: string): Promise<MountTable> {
  const bytes = await readFile('/proc/self/mountinfo').catch(() => Buffer.alloc(0))
  const realRoot = root === '' ? '' : await realpath(root).catch(() => root)
  return new MountTable(parseMountinfo(bytes), realRoot === '/' ? '' : realRoot)
}
