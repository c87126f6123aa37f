/**
 * Containers, found by the control groups of processes: so it does not matter which engine started them, where it puts them,
 * as which user, or whether inside another container. A container without processes is none.
 */
import type { CgroupMounts, Controller, Folders } from './cgroup-mounts.ts'
import type { Files } from './files.ts'
import type { Process, ProcessTable } from './process-table.ts'

export interface Found {
  /** The first 12 digits. */
  readonly id: string
  /** Of the control group. */
  readonly path: string
  readonly folders: Folders
}

/** The innermost container of a process: the first 12 digits of its id. */
export type ContainerOf = (process: Pick<Process, 'pid'>) => string | undefined

export interface ContainerFinder {
  /** Those that have processes, by id, as many as are looked at. */
  find(): { containers: Found[]; left: number; processesIn(id: string): number }
  readonly containerOf: ContainerOf
}

/** About 0.2 ms each. */
const MOST_CONTAINERS = 128
/** A new process may still be on its way into its container, so it is looked at twice; and all now and then. */
const AGAIN_LOOKS = 30

/**
 * `docker-ID.scope`, `libpod-ID`, `cri-containerd-ID.scope`, or the id alone. What watches over a container (conmon) has a
 * group of its own, of the same form.
 */
const container = /^(?!.*conmon)(?:[a-z][\w.-]*[-_])?([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?$/

interface Known {
  readonly startTicks: number
  readonly inside: readonly Found[]
  looks: number
}

export function containerFinder(files: Files, table: ProcessTable, mounts: CgroupMounts): ContainerFinder {
  let known = new Map<number, Known>()
  const look = (process: Process, before: Known | undefined): Known => {
    const old = before?.startTicks === process.startTicks ? before : undefined
    if (old && old.looks % AGAIN_LOOKS > 1) {
      old.looks++
      return old
    }
    // The threads of the kernel are in no container.
    const cgroup = process.parent === 2 || process.pid === 2 ? '' : (files.line(`/proc/${process.pid}/cgroup`) ?? '')
    return { startTicks: process.startTicks, inside: containersIn(cgroup, mounts), looks: (old?.looks ?? 0) + 1 }
  }
  return {
    find() {
      const now = new Map<number, Known>()
      const found = new Map<string, Found>()
      const counts = new Map<string, number>()
      for (const process of table.all()) {
        const one = look(process, known.get(process.pid))
        now.set(process.pid, one)
        for (const inside of one.inside) {
          found.set(inside.id, inside)
          counts.set(inside.id, (counts.get(inside.id) ?? 0) + 1)
        }
      }
      known = now
      const all = [...found.values()]
      return {
        containers: all.slice(0, MOST_CONTAINERS),
        left: Math.max(0, all.length - MOST_CONTAINERS),
        processesIn: (id) => counts.get(id) ?? 0,
      }
    },
    containerOf: ({ pid }) => known.get(pid)?.inside.at(-1)?.id,
  }
}

/** From the outermost to the innermost. */
function containersIn(cgroup: string, mounts: CgroupMounts): Found[] {
  if (!/[0-9a-f]{64}/.test(cgroup)) return []
  const byId = new Map<string, { path: string; folders: Partial<Record<Controller, string>> }>()
  for (const [name, path] of Object.entries(mounts.paths(cgroup))) {
    for (const { id, prefix } of prefixes(path)) {
      const one = byId.get(id) ?? { path: prefix, folders: {} }
      const folder = mounts.folder(name as Controller, prefix)
      if (folder !== undefined) one.folders[name as Controller] = folder
      byId.set(id, one)
    }
  }
  return [...byId].map(([id, { path, folders }]) => ({ id, path, folders }))
}

/** Where a path enters a container: `/docker/A/docker/B` enters two. */
function prefixes(path: string): { id: string; prefix: string }[] {
  const names = path.split('/')
  return names.flatMap((name, at) => {
    const id = container.exec(name)?.[1]
    return id === undefined ? [] : [{ id, prefix: names.slice(0, at + 1).join('/') }]
  })
}
