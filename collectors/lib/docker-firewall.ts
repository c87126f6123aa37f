/** Which kind of iptables an engine's rules go to, without asking: any iptables command may load modules. */
import type { Kit } from '../../src/collector.ts'
import type { Setting } from './docker-settings.ts'

const switches = ['iptables', 'ip6tables', 'ip-forward', 'ip-masq', 'userland-proxy', 'bridge', 'bip', 'mtu', 'dns']
const modules = ['nf_tables', 'nft_compat', 'ip_tables', 'iptable_nat', 'nf_nat', 'br_netfilter', 'overlay']

/** `pid` is the engine's: a rootless one has a network of its own. */
export async function firewallOf(kit: Kit, pid: number | undefined, setting: (name: string) => Setting | undefined) {
  const names = async (file: string) => (await kit.read(`/proc/${pid ?? kit.self.pid}/net/${file}`))?.split(/\s+/)
  const [tables, tables6] = await Promise.all([names('ip_tables_names'), names('ip6_tables_names')])
  const command =
    (await kit.readlink('/etc/alternatives/iptables')) ??
    (await kit.readlink('/usr/sbin/iptables')) ??
    (await kit.readlink('/sbin/iptables'))
  const there = await Promise.all(modules.map(async (module) => (await kit.missing({ module })) === undefined))
  const settings = switches.flatMap((name) => {
    const set = setting(name)
    return set ? [[name, set.values.join(', ')] as const] : []
  })
  return {
    settings: Object.fromEntries(settings),
    /** null where the file is not there, or not ours to read: without the module, or without root. */
    legacyTables: tables?.filter(Boolean) ?? null,
    legacyTables6: tables6?.filter(Boolean) ?? null,
    command: command ?? null,
    commandIs: command === undefined ? null : /nft/.test(command) ? 'nft' : /legacy/.test(command) ? 'legacy' : null,
    modules: modules.filter((_, at) => there[at]),
    modulesAbsent: modules.filter((_, at) => !there[at]),
    ipv4Forwarding: (await kit.read('/proc/sys/net/ipv4/ip_forward'))?.trim() ?? null,
  }
}
