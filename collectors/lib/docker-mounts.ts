/** What an engine's storage and cgroups lie on, out of its mounts. No I/O. */
import type { Mount } from './storage-mounts.ts'

export interface CgroupMounts {
  /** `hybrid`: v1 controllers beside a v2 tree that has none of them. */
  readonly version: 'v1' | 'v2' | 'hybrid' | 'none'
  readonly controllersV1: readonly string[]
  /** Where the v2 tree is. */
  readonly unified?: string
  readonly readOnly: readonly string[]
}

/** What limits of containers need. v2 has devices and freezer without a controller. */
const wantedV1 = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids']
const wantedV2 = ['cpu', 'cpuset', 'memory', 'io', 'pids']

/** The file system a path is on: the deepest mount point above it, and the newest mount there. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts) {
    const above = mount.mountPoint === '/' ? '/' : `${mount.mountPoint}/`
    if (!`${path}/`.startsWith(above)) continue
    if (best === undefined || mount.mountPoint.length >= best.mountPoint.length) best = mount
  }
  return best
}

/** A later mount on the same point covers the earlier one. */
export function cgroupMounts(mounts: readonly Mount[]): CgroupMounts {
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()]
  const v1 = visible.filter(({ type }) => type === 'cgroup')
  const unified = visible.find(({ type }) => type === 'cgroup2')
  const controllersV1 = [
    ...new Set(v1.flatMap(({ superOptions }) => superOptions.split(',').filter((name) => wantedV1.includes(name)))),
  ]
  const readOnly = [...v1, ...(unified ? [unified] : [])]
    .filter(({ options }) => options.split(',').includes('ro'))
    .map(({ mountPoint }) => mountPoint)
  const version = unified ? (v1.length > 0 ? 'hybrid' : 'v2') : v1.length > 0 ? 'v1' : 'none'
  return { version, controllersV1, readOnly, ...(unified && { unified: unified.mountPoint }) }
}

/** Controllers that limits of containers need, and that are not there. */
export function missingControllers(version: CgroupMounts['version'], present: readonly string[]): string[] {
  return (version === 'v2' ? wantedV2 : wantedV1).filter((name) => !present.includes(name))
}
