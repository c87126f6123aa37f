/** Looks at sockets and proxies through the kit. */
import type { Kit } from '../../src/collector.ts'
import { parseInet, parsePacket, parseUnix, socketsText } from './net-sockets.ts'
import { proxyLines } from './net-proxies.ts'
import { descriptorNote, findDescriptors } from './proc-fds.ts'
import type { Descriptor } from './proc-fds.ts'
import { parsePasswd } from './proc-parse.ts'

/** 100 000 TCP sockets are 15 MB of text. */
const mostBytes = 32 << 20
const proxyFiles = [
  '/etc/environment',
  '/etc/environment.d/*.conf',
  '/etc/profile',
  '/etc/profile.d/*',
  '/etc/default/docker',
  '/etc/sysconfig/{docker,proxy}',
  '/etc/systemd/{system,user}.conf',
  '/etc/systemd/{system,user}.conf.d/*.conf',
  '/etc/systemd/system/*.d/*.conf',
  '/etc/wgetrc',
]

/** Every socket of this network namespace with the processes that hold it: what ss shows, without the modules it loads. */
export async function scanSockets(kit: Kit): Promise<string> {
  const inets = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6']
  const sockets = (
    await Promise.all(
      inets.map(async (name) => parseInet(name, (await kit.read(`/proc/net/${name}`, mostBytes)) ?? '')),
    )
  ).flat()
  const unix = parseUnix((await kit.read('/proc/net/unix', mostBytes)) ?? '')
  const packet = parsePacket((await kit.read('/proc/net/packet', mostBytes)) ?? '')
  const { owners, note } = await socketOwners(kit)
  const users = parsePasswd((await kit.read('/etc/passwd')) ?? '')
  return socketsText([...sockets, ...packet, ...unix], owners, (uid) => users.get(uid) ?? String(uid), note)
}

/** The lines of the well-known files that set a proxy for everybody. */
export async function proxiesText(kit: Kit): Promise<string> {
  const paths = await kit.glob(...proxyFiles)
  const lines = await Promise.all(paths.map(async (path) => proxyLines(path, (await kit.read(path)) ?? '')))
  const found = lines.flat()
  return `Proxies set in ${proxyFiles.join(', ')}:\n\n${found.length > 0 ? found.join('\n') : 'none'}\n`
}

/** Names of the processes that hold each socket; none, with the reason, where they cannot be found out. */
async function socketOwners(kit: Kit): Promise<{ owners: Map<number, string[]>; note: string }> {
  let held
  try {
    held = await findDescriptors(kit, 'socket:*')
  } catch (error) {
    return { owners: new Map(), note: `No owners: ${error instanceof Error ? error.message : String(error)}.\n` }
  }
  const names = new Map<number, string>()
  for (const pid of new Set(held.map((descriptor) => descriptor.pid))) {
    names.set(pid, `${pid}/${(await kit.read(`/proc/${pid}/comm`))?.trim() ?? '?'}`)
  }
  const byInode = Map.groupBy(held, ({ target }) => Number(/\d+/.exec(target)?.[0]))
  const owners = [...byInode].map(([inode, all]) => [inode, namesOf(all, names)] as const)
  return { owners: new Map(owners), note: descriptorNote }
}

const namesOf = (held: readonly Descriptor[], names: ReadonlyMap<number, string>): string[] => [
  ...new Set(held.map(({ pid }) => names.get(pid)!)),
]
