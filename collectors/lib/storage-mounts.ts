/** Mounts out of /proc/PID/mountinfo (man 5 proc_pid_mountinfo). No I/O. */
import { table } from './proc-text.ts'

export interface Mount {
  readonly mountPoint: string
  /** `major:minor` of the file system: the same for every bind mount of it. */
  readonly device: string
  /** The folder of the file system that is mounted here. */
  readonly root: string
  readonly type: string
  readonly source: string
  readonly options: string
  readonly superOptions: string
  /** `shared:1`, `master:2`; `private` when it propagates nothing. */
  readonly propagation: string
}

/** Views of the kernel and triggers: they hold no blocks, and asking an autofs mounts it. */
const pseudo = new Set([
  'autofs',
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'efivarfs',
  'fusectl',
  'hugetlbfs',
  'mqueue',
  'nsfs',
  'nfsd',
  'proc',
  'pstore',
  'ramfs',
  'rpc_pipefs',
  'securityfs',
  'selinuxfs',
  'sysfs',
  'tracefs',
])
/** Images that are always full. */
const images = new Set(['squashfs', 'erofs', 'iso9660', 'cramfs'])

export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , device, root, mountPoint, options, ...tags] = left.split(' ')
    const [type, source = '', superOptions = ''] = right.split(' ')
    if (!device || !root || !mountPoint || !options || !type) return []
    return [
      {
        mountPoint: unescape(mountPoint),
        device,
        root: unescape(root),
        type,
        source: unescape(source),
        options,
        superOptions,
        propagation: tags.join(',') || 'private',
      },
    ]
  })
}

export function mountsText(mounts: readonly Mount[], path: string): string {
  const rows = mounts.map((mount) => [
    mount.mountPoint,
    mount.root === '/' ? mount.source : `${mount.source}[${mount.root}]`,
    mount.type,
    mount.propagation,
    mount.options,
    mount.superOptions,
  ])
  const whose = path.startsWith('/proc/1/') ? 'of PID 1' : 'of diagd itself: those of PID 1 may not be read'
  return `Mounts ${whose}, in the order they were made; a later one covers an earlier one on the same point.\n\n${table(
    ['MOUNT POINT', 'SOURCE', 'TYPE', 'PROPAGATION', 'OPTIONS', 'OPTIONS OF THE FILE SYSTEM'],
    rows,
  )}`
}

export interface RealMount extends Mount {
  /** Further mounts of the same file system, which would show the same numbers. */
  readonly others: number
}

/** One mount per file system that holds blocks, at the shortest path where it is not covered by a later mount. */
export function realMounts(mounts: readonly Mount[]): RealMount[] {
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()]
  const real = visible.filter(
    ({ type, mountPoint }) => !pseudo.has(type) && !images.has(type) && !isOfContainer(type, mountPoint),
  )
  return [...Map.groupBy(real, ({ device }) => device).values()].map((same) => {
    const shortest = same.reduce((best, mount) => (mount.mountPoint.length < best.mountPoint.length ? mount : best))
    return Object.assign({ others: same.length - 1 }, shortest)
  })
}

/** The file systems of containers lie on one that is listed, or in memory, and there may be hundreds. */
const isOfContainer = (type: string, mountPoint: string): boolean =>
  (type === 'overlay' && mountPoint !== '/') ||
  (type === 'tmpfs' && /^\/(?:var\/lib|run)\/(?:docker|containerd|containers|kubelet|netns)\//.test(mountPoint))

/** Space, tab, newline and backslash stand as octal escapes. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
