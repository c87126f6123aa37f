import type { Kit } from '../../src/collector.ts'

export type CgroupVersion = 'v1' | 'v2' | 'hybrid' | 'none'

/** Cgroups shown besides our own: a host with more shows the first ones and counts the rest. Each costs some ten small reads. */
const shownGroups = 400
/** How deep below the mount point limits are looked for: `kubepods.slice/…burstable.slice/…pod.slice/container` is four. */
const depth = 4

const filesV2 = [
  'memory.max',
  'memory.high',
  'memory.current',
  'memory.peak',
  'memory.swap.max',
  'memory.events',
  'cpu.max',
  'cpu.stat',
  'pids.max',
  'pids.current',
  'pids.events',
  'io.max',
  'cgroup.events',
]
const filesV1: Readonly<Record<string, readonly string[]>> = {
  memory: [
    'memory.limit_in_bytes',
    'memory.usage_in_bytes',
    'memory.max_usage_in_bytes',
    'memory.failcnt',
    'memory.oom_control',
  ],
  cpu: ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.stat', 'cpu.shares'],
  pids: ['pids.max', 'pids.current'],
  cpuset: ['cpuset.cpus'],
}

interface Hierarchy {
  /** Where it is mounted, and which cgroup shows there. */
  readonly mount: string
  readonly root: string
  readonly version: 1 | 2
  readonly controllers: readonly string[]
}

/** Version, controllers, and the limits and counters that bind this process: its own cgroup and every one above. */
export async function ownCgroups(kit: Kit) {
  const hierarchies = await mounted(kit)
  const own = await kit.read(`/proc/${kit.self.pid}/cgroup`)
  const v2 = hierarchies.find(({ version }) => version === 2)
  const unified = v2 ? ((await kit.read(`${v2.mount}/cgroup.controllers`)) ?? '').split(/\s+/).filter(Boolean) : []
  return {
    version: versionOf(hierarchies),
    controllers: [...hierarchies.flatMap(({ controllers }) => controllers), ...unified].filter(
      (controller) => !controller.startsWith('name='),
    ),
    hierarchies,
    own: own?.trim().split('\n') ?? [],
    limits: (await Promise.all(hierarchies.map((hierarchy) => chain(kit, hierarchy, own ?? '')))).flat(),
  }
}

/** The same for every cgroup of the host down to four levels: units, slices, containers. */
export async function allCgroups(kit: Kit) {
  const folders = await Promise.all(
    (await mounted(kit)).map(async (hierarchy) => {
      const file = hierarchy.version === 2 ? 'cgroup.events' : filesOf(hierarchy)[0]
      if (file === undefined) return []
      const globs = Array.from({ length: depth }, (_, level) => `${hierarchy.mount}${'/*'.repeat(level + 1)}/${file}`)
      const paths = (await kit.glob(...globs)).map((path) => path.slice(0, -file.length - 1))
      return paths.map((path) => ({ hierarchy, path }))
    }),
  )
  // Memory first: it is what kills.
  const rank = (hierarchy: Hierarchy) => (hierarchy.version === 2 || hierarchy.controllers.includes('memory') ? 0 : 1)
  const all = folders.flat().toSorted((a, b) => rank(a.hierarchy) - rank(b.hierarchy))
  const groups = []
  for (const { hierarchy, path } of all.slice(0, shownGroups)) groups.push(await facts(kit, hierarchy, path))
  return { groups, leftOut: Math.max(0, all.length - shownGroups) }
}

/** From mountinfo(5): `36 35 0:31 ROOT MOUNT opts… - cgroup2 cgroup2 rw,superopts`. */
async function mounted(kit: Kit): Promise<Hierarchy[]> {
  const lines = ((await kit.read(`/proc/${kit.self.pid}/mountinfo`)) ?? '').split('\n')
  const found = lines.flatMap((line): Hierarchy[] => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root = '', mount = ''] = left.split(' ')
    const [type, , options = ''] = right.split(' ')
    if (type === 'cgroup2') return [{ mount, root, version: 2, controllers: [] }]
    if (type !== 'cgroup') return []
    const controllers = options
      .split(',')
      .filter((option) => !/^(rw|ro|noprefix|xattr|release_agent=.*|clone_children)$/.test(option))
    return [{ mount, root, version: 1, controllers }]
  })
  // A hierarchy may be mounted more than once, as in a container's bind mounts: the first is as good as the others.
  const seen = new Set<string>()
  return found.filter(({ version, controllers }) => {
    const id = `${version} ${controllers.join(',')}`
    return !seen.has(id) && seen.add(id)
  })
}

function versionOf(hierarchies: readonly Hierarchy[]): CgroupVersion {
  const versions = new Set(hierarchies.map(({ version }) => version))
  if (versions.size === 2) return 'hybrid'
  return versions.has(2) ? 'v2' : versions.has(1) ? 'v1' : 'none'
}

const filesOf = (hierarchy: Hierarchy): readonly string[] =>
  hierarchy.version === 2 ? filesV2 : hierarchy.controllers.flatMap((controller) => filesV1[controller] ?? [])

/** Our own cgroup in one hierarchy, then its parent, up to what is mounted: the tightest limit of them counts. */
async function chain(kit: Kit, hierarchy: Hierarchy, own: string) {
  const line = own.split('\n').find((candidate) => belongs(candidate, hierarchy))
  const path = line?.split(':').slice(2).join(':')
  if (path === undefined || filesOf(hierarchy).length === 0) return []
  const below = path.startsWith(hierarchy.root) ? path.slice(hierarchy.root.length) : ''
  const parts = below.split('/').filter(Boolean)
  const folders = parts.map((_, i) => [hierarchy.mount, ...parts.slice(0, parts.length - i)].join('/'))
  const groups = []
  for (const folder of [...folders, hierarchy.mount].slice(0, 16)) groups.push(await facts(kit, hierarchy, folder))
  return groups
}

/** A line of /proc/PID/cgroup, cgroups(7): `4:memory:/a/b`, and `0::/a/b` for v2. */
function belongs(line: string, hierarchy: Hierarchy): boolean {
  const [id, controllers] = line.split(':')
  return hierarchy.version === 2 ? id === '0' : id !== '0' && controllers === hierarchy.controllers.join(',')
}

async function facts(kit: Kit, hierarchy: Hierarchy, path: string) {
  const values = await Promise.all(
    filesOf(hierarchy).map(async (file) => [file, await kit.read(`${path}/${file}`)] as const),
  )
  return {
    path,
    ...Object.fromEntries(values.flatMap(([file, text]) => (text === undefined ? [] : [[file, parsed(text)]]))),
  }
}

/** `oom 0\noom_kill 3` → an object; anything else stays as it is written. */
function parsed(text: string): string | Record<string, number> {
  const lines = text.trim().split('\n')
  if (!lines.every((line) => /^\w+ \d+$/.test(line))) return text.trim()
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}
