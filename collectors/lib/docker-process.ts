/** The processes of engines, and what started them: out of /proc, through the kit. */
import type { Kit } from '../../src/collector.ts'
import { parseCgroup, parseCmdline, parseStat, parseStatus } from './proc-parse.ts'
import { listPids, mostProcesses } from './proc-scan.ts'
import { inParallel, shortened } from './proc-text.ts'
import { parseFlags, type Flags } from './docker-settings.ts'

export interface EngineProcess {
  readonly pid: number
  readonly program: string
  readonly uid: number
  readonly args: readonly string[]
  readonly flags: Flags
  readonly cgroup: string
  /** Its parent, that one's parent, … up to PID 1. */
  readonly ancestors: readonly Ancestor[]
  /** In a pid namespace below ours: the engine of a container. */
  readonly nested: boolean
  /** Where its messages go: `/tmp/dockerd.log`, `socket:[…]` (the journal), `pipe:[…]`, `/dev/null`. */
  readonly log?: string
}

interface Ancestor {
  readonly pid: number
  readonly command: string
}

const programs = new Set(['dockerd', 'containerd', 'podman', 'rootlesskit'])
/** Nobody nests deeper by intent; a table that changes while it is read could lead round in a circle. */
const mostAncestors = 32
const commandBytes = 4096

/** dockerd, containerd, rootlesskit and `podman system service`. What ends while it is read is left out. */
export async function engineProcesses(kit: Kit): Promise<EngineProcess[]> {
  const pids = (await listPids(kit)).slice(0, mostProcesses)
  const found = await inParallel(pids, 16, kit.signal, async (pid) => {
    const stat = parseStat((await kit.read(`/proc/${pid}/stat`)) ?? '')
    return stat && programs.has(stat.comm) ? describe(kit, pid, stat.comm, stat.ppid) : undefined
  })
  return found.filter((process) => process !== undefined)
}

/** The engine that serves this socket: the one whose flags name it; else the only one of the socket's owner. */
export function serverOf(
  { kind, socket, uid }: { kind: string; socket: string; uid: number | undefined },
  processes: readonly EngineProcess[],
): EngineProcess | undefined {
  const program = kind === 'podman' ? 'podman' : 'dockerd'
  // Anybody can start something of that name: it has to be root's, or of whom the socket belongs to.
  const trusted = (owner: number) => owner === 0 || uid === undefined || owner === uid
  const engines = processes.filter((process) => process.program === program && trusted(process.uid))
  const same = (path: string) => path.replace(/^unix:\/\//, '').replace(/^\/var\/run\//, '/run/')
  const told = ({ args, flags }: EngineProcess) => [...(flags.get('host') ?? []), ...args].map(same)
  const named = engines.find((process) => told(process).includes(same(socket)))
  if (named) return named
  // One that was told of no path, or of file descriptors from systemd, listens at the usual place.
  const usual = engines.filter((process) => {
    const hosts = (process.flags.get('host') ?? []).filter((host) => host.startsWith('unix://'))
    return hosts.length === 0 && !process.nested && (uid === undefined || process.uid === uid)
  })
  return usual.length === 1 ? usual[0] : undefined
}

/** In a few words: what started it. */
export function startedBy(process: EngineProcess, kit: Pick<Kit, 'host'>, lazyPids: readonly LazyPid[]): string {
  const ofUser = userUnitOf(process.cgroup)
  if (ofUser && kit.host.systemd) return `systemd of user ${ofUser.uid}, unit ${ofUser.unit}`
  const unit = /([^/]+\.(?:service|scope))$/.exec(process.cgroup)?.[1]
  const fromSystemd = process.flags.get('host')?.some((host) => host.startsWith('fd://'))
  if (unit && kit.host.systemd) {
    return `systemd unit ${unit}${fromSystemd ? ', its socket held by systemd (-H fd://)' : ''}`
  }
  const lazy = lazyPids.find(({ pid }) => pid === process.pid)
  if (lazy) return `a script that starts the engine when it is needed: ${lazy.path} names its pid`
  const rootless = process.ancestors.find(({ command }) => /rootlesskit|dockerd-rootless/.test(command))
  if (rootless) return `rootlesskit (pid ${rootless.pid})`
  const script = process.ancestors.find(({ command }) => /dockerd-entrypoint\.sh|\/init\.d\/docker/.test(command))
  if (script) return `script, pid ${script.pid}: ${script.command}`
  const parent = process.ancestors[0]
  if (!parent) return 'itself PID 1, or its parent cannot be seen'
  if (parent.pid === 1) return `unknown: what started it has ended, or is PID 1 (${parent.command})`
  return `pid ${parent.pid}: ${parent.command}`
}

/** Of a control group below a user's own systemd: `/user.slice/…/user@1000.service/app.slice/docker.service`. */
export function userUnitOf(cgroup: string): { readonly uid: string; readonly unit: string } | undefined {
  const [, uid, unit] = /\/user@(\d+)\.service\/(?:.*\/)?([^/]+\.(?:service|scope))(?:\/|$)/.exec(cgroup) ?? []
  return uid === undefined || unit === undefined ? undefined : { uid, unit }
}

export interface LazyPid {
  readonly path: string
  readonly pid: number
}

async function describe(kit: Kit, pid: number, program: string, ppid: number): Promise<EngineProcess | undefined> {
  const at = (name: string) => kit.read(`/proc/${pid}/${name}`, commandBytes)
  const [status = '', cmdline = '', cgroup = ''] = await Promise.all([at('status'), at('cmdline'), at('cgroup')])
  const args = parseCmdline(cmdline)
  if (program === 'podman' && !cmdline.includes('\0system\0service')) return undefined
  const log = await kit.readlink(`/proc/${pid}/fd/2`)
  return {
    pid,
    program,
    uid: parseStatus(status).uid,
    args,
    flags: parseFlags(args.slice(1)),
    cgroup: parseCgroup(cgroup),
    ancestors: await ancestorsFrom(kit, ppid),
    // Kernels that do not tell have no such line.
    nested: (/^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 1) > 1,
    ...(log !== undefined && { log }),
  }
}

async function ancestorsFrom(kit: Kit, ppid: number): Promise<Ancestor[]> {
  const found: Ancestor[] = []
  for (let pid = ppid; pid > 0 && found.length < mostAncestors;) {
    const stat = parseStat((await kit.read(`/proc/${pid}/stat`)) ?? '')
    if (!stat) break
    const args = parseCmdline((await kit.read(`/proc/${pid}/cmdline`, commandBytes)) ?? '')
    found.push({ pid, command: shortened(args.join(' ') || stat.comm, 200) })
    pid = stat.ppid
  }
  return found
}
