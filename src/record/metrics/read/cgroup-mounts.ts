/** Where control groups are found: each controller of version 1 in a tree of its own, or all in one of version 2. */
import { parseMountinfo } from '../../../sources/mounts.ts'
import type { Files } from './files.ts'

/** Controllers that say something of a container; '' stands for the tree of version 2. */
const CONTROLLERS = ['', 'cpu', 'cpuacct', 'memory', 'pids', 'blkio'] as const
export type Controller = (typeof CONTROLLERS)[number]

/** Of one control group: its folder for each controller there is. */
export type Folders = Readonly<Partial<Record<Controller, string>>>

export interface CgroupMounts {
  /**
   * Turns the lines of /proc/PID/cgroup (`4:memory:/docker/0123…`, `0::/system.slice/…`) into paths by controller. A tree of
   * version 2 that has no controllers (systemd's, beside version 1) is not in it.
   */
  paths(cgroup: string): Folders
  /** The folder of a path, as this process sees it; undefined when it lies outside of what is mounted here. */
  folder(controller: Controller, path: string): string | undefined
}

interface Tree {
  readonly mountPoint: string
  /** What of the tree is mounted: `/`, but in a container. */
  readonly root: string
}

export function cgroupMounts(files: Files): CgroupMounts {
  const mounts = parseMountinfo(files.bytes('/proc/self/mountinfo') ?? Buffer.alloc(0))
  const trees = new Map<string, Tree>()
  for (const { type, mountPoint, root, fileSystemOptions } of mounts) {
    const names = type === 'cgroup2' ? [''] : type === 'cgroup' ? fileSystemOptions : []
    for (const name of names) if (isController(name) && !trees.has(name)) trees.set(name, { mountPoint, root })
  }
  if (trees.has('memory') || trees.has('cpuacct')) trees.delete('')
  return {
    paths(cgroup) {
      const found = cgroup.split('\n').flatMap((line) => {
        const [, names = '-', ...path] = line.split(':')
        return names
          .split(',')
          .flatMap((name) => (isController(name) && trees.has(name) ? [[name, path.join(':')]] : []))
      })
      return Object.fromEntries(found) as Folders
    },
    folder(controller, path) {
      const tree = trees.get(controller)
      if (!tree) return undefined
      const { mountPoint, root } = tree
      if (root === '/' || root.startsWith('/..')) return mountPoint + path
      return path === root || path.startsWith(`${root}/`) ? mountPoint + path.slice(root.length) : undefined
    },
  }
}

function isController(name: string): name is Controller {
  return (CONTROLLERS as readonly string[]).includes(name)
}
