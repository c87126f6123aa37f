/** What an engine runs on: the facts of docker/environment.json, gathered through the kit. */
import type { AbsentEngine, Engine, FileSystemFacts, Kit } from '../../src/collector.ts'
import { firewallOf } from './docker-firewall.ts'
import { lazyStart } from './docker-lazy.ts'
import { cgroupMounts, missingControllers, mountOf } from './docker-mounts.ts'
import { serverOf, startedBy, type EngineProcess } from './docker-process.ts'
import { parseDaemonFile, setTwice, settingOf, type DaemonFile, type Setting } from './docker-settings.ts'
import { parsePasswd } from './proc-parse.ts'
import { parseMountinfo, type Mount } from './storage-mounts.ts'

/** What is used of the answer to `GET /info`; podman leaves much of it out. */
export interface EngineInfo {
  readonly ServerVersion?: string
  readonly Driver?: string
  readonly DriverStatus?: readonly (readonly [string, string])[] | null
  readonly CgroupDriver?: string
  readonly CgroupVersion?: string
  readonly DockerRootDir?: string
  readonly HttpProxy?: string
  readonly HttpsProxy?: string
  readonly NoProxy?: string
  readonly RegistryConfig?: {
    readonly Mirrors?: readonly string[] | null
    readonly InsecureRegistryCIDRs?: readonly string[] | null
    readonly IndexConfigs?: Readonly<Record<string, { readonly Name?: string; readonly Secure?: boolean }>> | null
  } | null
  readonly SecurityOptions?: readonly string[] | null
  readonly DefaultRuntime?: string
  readonly LoggingDriver?: string
  readonly Warnings?: readonly string[] | null
}

export interface Asked {
  readonly label: string
  readonly kind: string
  readonly socket: string
  readonly engine?: Engine
  /** Why it was not asked. */
  readonly reason?: string
}

export type Surroundings = Awaited<ReturnType<typeof environmentOf>>

/** `failedStart`: why it does not run, in its own words. */
export type Environment = Surroundings & { readonly failedStart?: string | undefined }

/** Mount tables of hosts with hundreds of containers. */
const mountinfoBytes = 8 << 20

export const askedOf = (engine: Engine): Asked => ({
  label: engine.label,
  kind: engine.kind,
  socket: engine.socket,
  engine,
})

export const notAsked = ({ socket, reason }: AbsentEngine): Asked => ({
  label: 'not asked',
  kind: socket.includes('podman') ? 'podman' : 'docker',
  socket,
  reason,
})

/** Each question costs its own answer only: what cannot be told is undefined or null. */
export async function environmentOf(kit: Kit, asked: Asked, processes: readonly EngineProcess[]) {
  const socketFile = await socketFacts(kit, asked.socket)
  const process = serverOf({ ...asked, uid: socketFile?.uid }, processes)
  const { info = {}, notAsked } = await infoOf(asked)
  const file = await daemonFile(kit, process)
  const flags = process?.flags ?? new Map<string, string[]>()
  const setting = (name: string) => settingOf(name, flags, file)
  const mounts = await mountsOf(kit, process)
  const lazy = await lazyStart(kit)
  return {
    engine: {
      ...(notAsked !== undefined && { notAsked }),
      label: asked.label,
      kind: asked.kind,
      version: info.ServerVersion ?? null,
    },
    socket: { path: asked.socket, ...socketFile },
    process: process && {
      pid: process.pid,
      uid: process.uid,
      commandLine: process.args,
      startedBy: startedBy(process, kit, lazy.pids),
      ancestors: process.ancestors,
      cgroup: process.cgroup,
      log: process.log ?? null,
    },
    rootless: info.SecurityOptions?.some((option) => option.startsWith('name=rootless')) ?? null,
    daemonFile: { ...file, setTwice: setTwice(flags, file) },
    storage: await storageOf(kit, info, setting, mounts),
    kernel: await kernelOf(kit),
    cgroup: await cgroupOf(kit, info, mounts),
    rootPropagation: await propagation(kit),
    network: await firewallOf(kit, process?.pid, setting),
    registries: registriesOf(info, setting),
    runtime: info.DefaultRuntime ?? null,
    loggingDriver: info.LoggingDriver ?? null,
    lazyStart: lazy,
    others: others(process, processes),
    engineWarnings: info.Warnings ?? [],
  }
}

async function infoOf({ engine, reason }: Asked): Promise<{ info?: EngineInfo; notAsked?: string }> {
  if (!engine) return { notAsked: reason ?? 'no engine was found' }
  try {
    return { info: (await engine.get('/info')) as EngineInfo }
  } catch (error) {
    return { notAsked: `it did not answer: ${messageOf(error)}` }
  }
}

async function socketFacts(kit: Kit, path: string) {
  const facts = await kit.stat(path)
  if (!facts) return undefined
  const users = parsePasswd((await kit.read('/etc/passwd')) ?? '')
  const groups = parsePasswd((await kit.read('/etc/group')) ?? '')
  const { kind, uid, gid } = facts
  const mode = (facts.mode & 0o7777).toString(8).padStart(4, '0')
  return { kind, mode, uid, user: users.get(uid) ?? null, gid, group: groups.get(gid) ?? null }
}

/** A rootless engine's own is in the home of its user, which is never read. */
async function daemonFile(kit: Kit, process: EngineProcess | undefined): Promise<DaemonFile> {
  const path = process?.flags.get('config-file')?.[0] ?? '/etc/docker/daemon.json'
  return parseDaemonFile(path, await kit.read(path))
}

/** An engine may have mounts of its own; where those may not be read, ours have to do. */
async function mountsOf(kit: Kit, process: EngineProcess | undefined): Promise<Mount[]> {
  const own = process && (await kit.read(`/proc/${process.pid}/mountinfo`, mountinfoBytes))
  return parseMountinfo(own ?? (await kit.read(`/proc/${kit.self.pid}/mountinfo`, mountinfoBytes)) ?? '')
}

type Settings = (name: string) => Setting | undefined

async function storageOf(kit: Kit, info: EngineInfo, setting: Settings, mounts: readonly Mount[]) {
  const dataRoot = info.DockerRootDir ?? setting('data-root')?.values[0] ?? '/var/lib/docker'
  const mount = mountOf(dataRoot, mounts)
  const usage = await kit.statfs(dataRoot).then(usageOf, (error: unknown) => ({ problem: messageOf(error) }))
  return {
    driver: info.Driver ?? setting('storage-driver')?.values[0] ?? null,
    /** undefined: it chose one itself. */
    toldDriver: setting('storage-driver')?.values[0],
    driverStatus: info.DriverStatus ?? [],
    dataRoot,
    mount: mount && { point: mount.mountPoint, type: mount.type, source: mount.source, options: mount.options },
    inMemory: mount && (mount.type === 'tmpfs' || mount.type === 'ramfs'),
    usage,
  }
}

function usageOf(facts: FileSystemFacts) {
  const used = facts.blocks - facts.blocksFree
  const share = (part: number, whole: number) => (whole > 0 ? Math.round((1000 * part) / whole) / 10 : null)
  return {
    sizeBytes: facts.blocks * facts.blockSizeBytes,
    availableBytes: facts.blocksAvailable * facts.blockSizeBytes,
    // Without what is reserved for root, as df has it.
    usedPercent: share(used, used + facts.blocksAvailable),
    inodesUsedPercent: share(facts.inodes - facts.inodesFree, facts.inodes),
  }
}

async function cgroupOf(kit: Kit, info: EngineInfo, mounts: readonly Mount[]) {
  const { version, controllersV1, unified, readOnly } = cgroupMounts(mounts)
  const words = async (file: string) => (await kit.read(`${unified}/${file}`))?.trim().split(/\s+/).filter(Boolean)
  const controllers = version === 'v2' ? ((await words('cgroup.controllers')) ?? []) : controllersV1
  // What the tree hands down: without it no container below has the controller.
  const handedDown = version === 'v2' ? await words('cgroup.subtree_control') : undefined
  return {
    version,
    engineSays: info.CgroupVersion ?? null,
    driver: info.CgroupDriver ?? null,
    controllers,
    missing: version === 'none' ? [] : missingControllers(version, controllers),
    ...(handedDown && { notHandedDown: controllers.filter((name) => !handedDown.includes(name)) }),
    readOnly,
  }
}

/** gVisor's own says always the same: of a version, and of a day in 2016. */
async function kernelOf(kit: Kit) {
  const version = (await kit.read('/proc/version'))?.trim()
  return { version: version ?? null, isGvisor: /gvisor|SMP Sun Jan 10 15:06:54 PST 2016/i.test(version ?? '') }
}

async function propagation(kit: Kit) {
  const ofInit = await kit.read('/proc/1/mountinfo', mountinfoBytes)
  const text = ofInit ?? (await kit.read(`/proc/${kit.self.pid}/mountinfo`, mountinfoBytes)) ?? ''
  const root = parseMountinfo(text).findLast(({ mountPoint }) => mountPoint === '/')
  return { of: ofInit === undefined ? 'diagd' : 'PID 1', mode: root?.propagation ?? null, type: root?.type ?? null }
}

function registriesOf({ RegistryConfig: config, HttpProxy, HttpsProxy, NoProxy }: EngineInfo, setting: Settings) {
  const insecure = [
    ...(config?.InsecureRegistryCIDRs ?? []),
    ...Object.entries(config?.IndexConfigs ?? {}).flatMap(([name, { Secure }]) => (Secure === false ? [name] : [])),
  ]
  return {
    mirrors: config?.Mirrors ?? setting('registry-mirror')?.values ?? [],
    insecure: insecure.length > 0 ? insecure : (setting('insecure-registry')?.values ?? []),
    proxies: { http: HttpProxy || null, https: HttpsProxy || null, exceptFor: NoProxy || null },
  }
}

/** Engines beside this one, and the containerd it uses. */
const others = (mine: EngineProcess | undefined, processes: readonly EngineProcess[]) =>
  processes
    .filter(({ pid }) => pid !== mine?.pid)
    .slice(0, 50)
    .map(({ pid, program, uid, nested, args }) => ({ pid, program, uid, nested, commandLine: args }))

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
