/**
 * Which container engines may be asked, and over which socket.
 *
 * Connecting to a socket that systemd holds for a stopped engine would start that engine. So a socket that we find
 * ourselves counts only when its engine runs: its process is there, or its unit is active. One that DOCKER_HOST or
 * the configuration names is used as named: in a container the engine's process cannot be seen.
 */
import { constants, type Stats } from 'node:fs'
import { access, lstat, readdir, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { AbsentEngine } from '../collector.ts'
import { engineProcesses, type EngineKind, type EngineProcess } from './engine-processes.ts'
import type { SourceContext } from './source.ts'

export interface FoundEngine {
  readonly kind: EngineKind
  readonly socket: string
  /** `rootful`, `rootless-1000`, `podman`, `podman-1000`, `docker-host`, `configured`, `configured-2`…: all different. */
  readonly label: string
}

/** Users whose runtime directories are looked into: more are not logged in on one node. */
const maxUsers = 1000

/**
 * Engines to ask, and the sockets that exist (or were named) but are not asked, with the reason. The named come
 * first; a socket that is reached by several paths counts once. `dockerHost` is the value of DOCKER_HOST,
 * `configured` are paths or `unix://` addresses.
 */
export async function findEngines(
  ctx: SourceContext,
  options: { dockerHost?: string; configured?: readonly string[] },
): Promise<{ present: FoundEngine[]; absent: AbsentEngine[] }> {
  const { dockerHost, configured = [] } = options
  const candidates = [
    ...(dockerHost ? [named(dockerHost, 'docker-host')] : []),
    ...configured.map((address, i) => named(address, i === 0 ? 'configured' : `configured-${i + 1}`)),
    ...(await wellKnown(ctx.root)),
  ]
  const present = new Map<string, FoundEngine>()
  const absent = new Map<string, AbsentEngine>()
  const processes = once(() => engineProcesses(ctx))
  for (const candidate of candidates) {
    const { socket, kind, label } = candidate
    const file = ctx.root + socket
    const facts = await stat(file).catch(() => undefined)
    if (!facts && !candidate.named) continue
    // The same socket by another path: /var/run is /run.
    const id = facts ? `${facts.dev}:${facts.ino}` : socket
    if (present.has(id)) continue
    const reason = candidate.refused ?? (await unusable(file, socket, facts)) ?? (await idle(candidate, ctx, processes))
    if (reason === undefined) present.set(id, { kind, socket, label })
    else if (!absent.has(id)) absent.set(id, { socket, reason })
  }
  for (const id of present.keys()) absent.delete(id)
  return { present: [...present.values()], absent: [...absent.values()] }
}

interface Candidate {
  readonly kind: EngineKind
  readonly socket: string
  readonly label: string
  /** Somebody said to use this one. */
  readonly named: boolean
  /** Whose engine it is, for the found. */
  readonly uid?: number
  /** Why a named one cannot be asked at all. */
  readonly refused?: string
}

function named(address: string, label: string): Candidate {
  const socket = address.replace(/^unix:\/\//, '')
  const kind = socket.includes('podman') ? 'podman' : 'docker'
  if (isAbsolute(socket)) return { kind, socket, label, named: true }
  // Only what kind of address it is: it may carry a password.
  const shown = /^([a-z+]+:\/\/)(?:[^@/]*@)?([^/]*)/i.exec(address)
  const refused = 'engines are asked over unix sockets only (unix:///path)'
  return { kind, socket: shown ? `${shown[1]}${shown[2]}` : address, label, named: true, refused }
}

async function wellKnown(root: string): Promise<Candidate[]> {
  const found: Candidate[] = [
    { kind: 'docker', socket: await inRun(root, 'docker.sock'), label: 'rootful', named: false, uid: 0 },
    { kind: 'podman', socket: await inRun(root, 'podman/podman.sock'), label: 'podman', named: false, uid: 0 },
  ]
  const users = await readdir(`${root}/run/user`).catch(() => [])
  const uids = users.filter((name) => /^\d+$/.test(name)).slice(0, maxUsers)
  for (const uid of uids.map(Number).toSorted((a, b) => a - b)) {
    const folder = `/run/user/${uid}`
    found.push({ kind: 'docker', socket: `${folder}/docker.sock`, label: `rootless-${uid}`, named: false, uid })
    found.push({ kind: 'podman', socket: `${folder}/podman/podman.sock`, label: `podman-${uid}`, named: false, uid })
  }
  return found
}

/** Engines open it in /var/run, which is a link to /run, but for images of containers that were made of little. */
async function inRun(root: string, name: string): Promise<string> {
  const exists = async (path: string) => (await lstat(root + path).catch(() => undefined)) !== undefined
  if (await exists(`/run/${name}`)) return `/run/${name}`
  const facts = await lstat(`${root}/var/run`).catch(() => undefined)
  return facts?.isDirectory() && (await exists(`/var/run/${name}`)) ? `/var/run/${name}` : `/run/${name}`
}

async function unusable(file: string, socket: string, facts: Stats | undefined): Promise<string | undefined> {
  if (!facts) return 'it does not exist'
  if (!facts.isSocket()) return 'it is not a socket'
  if (await mayConnect(file, facts)) return undefined
  const { uid, gid } = facts
  const mode = (facts.mode & 0o777).toString(8).padStart(4, '0')
  const advice =
    (facts.mode & 0o020) !== 0 ? `add the user to its group (${gid})` : `it is open to its owner only (user ${uid})`
  return `permission denied on ${socket}: ${advice}, mode ${mode}`
}

/** access(2) leaves capabilities out, by which we pass a folder that is a user's own: /run/user/1000. */
async function mayConnect(file: string, { uid, gid, mode }: Stats): Promise<boolean> {
  const accessible = await access(file, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (accessible) return true
  if (uid === process.geteuid!()) return (mode & 0o200) !== 0
  const groups = [process.getegid!(), ...process.getgroups!()]
  return (mode & (groups.includes(gid) ? 0o020 : 0o002)) !== 0
}

/** Why a found engine counts as not running; undefined when it runs. */
async function idle(
  { kind, uid, named }: Candidate,
  ctx: SourceContext,
  processes: () => Promise<EngineProcess[]>,
): Promise<string | undefined> {
  if (named || (uid === 0 && (await unitActive(`${kind}.service`, ctx.root)))) return undefined
  if ((await processes()).some((process) => process.kind === kind && process.uid === uid)) return undefined
  const missing = kind === 'docker' ? 'dockerd' : 'podman system service'
  const owner = uid === 0 ? '' : ` of user ${uid}`
  return `no running ${missing}${owner} was found: connecting could start a stopped engine, so it was not asked`
}

/** systemd keeps this link while a unit is active: no D-Bus needed to know. */
const unitActive = (unit: string, root: string): Promise<boolean> =>
  lstat(`${root}/run/systemd/units/invocation:${unit}`).then(
    () => true,
    () => false,
  )

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}
