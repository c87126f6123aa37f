/** A control group of the machine's own in every hierarchy, so that two machines do not share their limits. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Children of the groups that this process is in. Whoever enters them writes its id into their `cgroup.procs`. */
export function createCgroups(name: string): string[] {
  return ownGroups().map((parent) => {
    const group = join(parent, name)
    mkdirSync(group, { recursive: true })
    // A new group of v1 has no processors and no memory nodes, and nothing can enter it.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const path = join(group, file)
      if (existsSync(path) && existsSync(join(parent, file))) writeFileSync(path, readFileSync(join(parent, file)))
    }
    return group
  })
}

/** With all groups inside, when no process is left in them. */
export function removeCgroup(group: string): void {
  if (!existsSync(group)) return
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(group, entry.name))
  }
  rmdirSync(group)
}

/** Folder of this process's group in each hierarchy that is mounted whole. */
function ownGroups(): string[] {
  const mounts = hierarchies()
  return readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line)!
      const mount = mounts.find(({ options }) =>
        id === '0' ? options === 'cgroup2' : sameHierarchy(options, controllers!),
      )
      return mount ? [join(mount.path, path!)] : []
    })
}

const sameHierarchy = (options: string, controllers: string) =>
  controllers.split(',').every((controller) => options.split(',').includes(controller))

function hierarchies(): { path: string; options: string }[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [head, tail] = line.split(' - ') as [string, string]
      const [, , , root, path] = head.split(' ')
      const [type, , options] = tail.split(' ')
      if (root !== '/' || (type !== 'cgroup' && type !== 'cgroup2')) return []
      return [{ path: path!, options: type === 'cgroup2' ? type : options! }]
    })
}
