/** Containers: their control groups, of version 1 or 2; nothing where there are none. */
import type { ContainerFinder, Found } from './container-finder.ts'
import { limitsV1, usageV1 } from './cgroup-v1.ts'
import { limitsV2, usageV2 } from './cgroup-v2.ts'
import type { Files } from './files.ts'
import type { Part, Reader, Values } from './reader.ts'

/** What it is called, by the first 12 digits of its id; undefined as long as nobody knows. */
export type ContainerName = (id: string) => string | undefined

/** Limits change when somebody changes them; once a minute is soon enough for that. */
const LIMITS_EVERY = 6

export function containersReader(files: Files, finder: ContainerFinder, nameOf: ContainerName): Reader {
  const isStacked = stackedDevices(files)
  const limits = new Map<string, { age: number; values: Values }>()
  const limitsOf = (found: Found): Values => {
    const old = limits.get(found.id)
    if (old && old.age++ < LIMITS_EVERY) return old.values
    const folder = found.folders['']
    const values = folder === undefined ? limitsV1(files, found.folders) : limitsV2(files, folder)
    // An engine makes the group first, and limits it then: what is new is looked at again the next time.
    limits.set(found.id, { age: old ? 1 : LIMITS_EVERY, values })
    return values
  }
  return {
    name: 'containers',
    read(): Part {
      const { containers, left, processesIn } = finder.find()
      const ids = new Set(containers.map(({ id }) => id))
      for (const id of limits.keys()) if (!ids.has(id)) limits.delete(id)
      const rows = containers.flatMap((found) => {
        const folder = found.folders['']
        const usage =
          folder === undefined ? usageV1(files, found.folders, isStacked) : usageV2(files, folder, isStacked)
        // Its last process ended while this was read.
        if (Object.keys(usage).length === 0) return []
        const name = nameOf(found.id)
        const labels = { id: found.id, cgroup: found.path, ...(name !== undefined && { name }) }
        return [
          {
            subject: 'container' as const,
            labels,
            values: { ...usage, processes: processesIn(found.id), ...limitsOf(found) },
          },
        ]
      })
      return { host: { left_out_container_count: left }, rows }
    },
  }
}

/** What goes through one of these is counted again for the disk below. By major number. */
function stackedDevices(files: Files): (major: string) => boolean {
  const blocks = files.text('/proc/devices')?.split('Block devices:')[1] ?? ''
  const majors = new Set([...blocks.matchAll(/^ *(\d+) (?:device-mapper|mdp?|loop|drbd)$/gm)].map(([, major]) => major))
  return (major) => majors.has(major)
}
