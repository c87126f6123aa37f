import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { cleanedFiles } from './lib/host-files.ts'
import { withoutKeys } from './lib/net-keys.ts'
import { interfacesText } from './lib/net-interfaces.ts'
import { parseFibTrie, parseIfInet6, parseRoute, parseRoute6 } from './lib/net-routes.ts'
import { proxiesText, scanSockets } from './lib/net-scan.ts'

/** Where a distribution's /etc/resolv.conf may lead. */
const resolvers = ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager', '/run/connman', '/usr/lib/systemd']

const configuration = [
  '/etc/{hosts,hosts.allow,hosts.deny,hostname,networks,nsswitch.conf,gai.conf,host.conf,dnsmasq.conf}',
  '/etc/dnsmasq.d/*',
  '/etc/systemd/{resolved,networkd}.conf',
  '/etc/systemd/{resolved,networkd}.conf.d/*.conf',
  '/etc/systemd/network/*.{network,link,netdev}',
  '/etc/systemd/network/*.{network,link}.d/*.conf',
  '/etc/netplan/*.yaml',
  '/etc/NetworkManager/NetworkManager.conf',
  '/etc/NetworkManager/conf.d/*.conf',
  '/etc/NetworkManager/system-connections/*',
  '/etc/network/interfaces',
  '/etc/network/interfaces.d/*',
  '/etc/sysconfig/network',
  '/etc/sysconfig/network-scripts/{ifcfg,route}-*',
]
const runtimeState = [
  '/run/systemd/resolve/{resolv,stub-resolv}.conf',
  '/run/systemd/resolved.conf.d/*.conf',
  '/run/systemd/netif/state',
  '/run/systemd/netif/{links,leases}/*',
  '/run/systemd/network/*.{network,link,netdev}',
  '/run/netplan/*',
  '/run/NetworkManager/system-connections/*',
]
const protocolCounters = ['dev', 'snmp', 'snmp6', 'netstat', 'sockstat', 'sockstat6', 'softnet_stat', 'protocols']
const kernelTables = ['arp', 'route', 'ipv6_route', 'if_inet6', 'fib_trie']

/**
 * Sockets come from /proc/net and not from ss, which loads the *_diag modules. `ip` and `tc` speak rtnetlink, which is
 * built in, and their lists load nothing. resolvectl, networkctl and nmcli ask over D-Bus, which would start the
 * service: only where it runs.
 */
export default {
  title: 'Network: addresses, routes, sockets with owners, DNS, counters, configuration, proxies',
  tier: 'state',
  async *collect(kit) {
    yield kit.text('interfaces.txt', () => interfacesText(kit))
    yield* addressesAndRoutes(kit, await kit.missing({ command: 'ip' }))
    yield kit.text('sockets.txt', () => scanSockets(kit))
    yield kit.file('/etc/resolv.conf', { within: resolvers })
    yield* services(kit)
    yield kit.command`tc -statistics qdisc show`.as('qdisc.txt').needs({ command: 'tc' })
    yield kit.files(`/proc/net/{${[...protocolCounters, ...kernelTables].join(',')}}`).as('proc/')
    yield kit.text('proxies.txt', () => proxiesText(kit))
    yield kit.text('namespaces.txt', () => namespacesText(kit))
    yield* cleanedFiles(kit, configuration, withoutKeys)
    yield* cleanedFiles(kit, runtimeState, withoutKeys)
  },
} satisfies Collector

function* addressesAndRoutes(kit: Kit, noIp: string | undefined): Generator<Artifact> {
  if (noIp !== undefined) {
    yield kit.text('addresses.txt', () => derived(kit, noIp, ['fib_trie', parseFibTrie], ['if_inet6', parseIfInet6]))
    yield kit.text('routes.txt', () => derived(kit, noIp, ['route', parseRoute], ['ipv6_route', parseRoute6]))
    return
  }
  const ipv6 = { file: '/proc/net/if_inet6' }
  yield kit.command`ip -details -statistics address show`.as('addresses.txt')
  yield kit.command`ip -details -statistics -statistics link show`.as('links.txt')
  yield kit.command`ip -details route show table all`.as('routes-ipv4.txt')
  yield kit.command`ip -details -6 route show table all`.as('routes-ipv6.txt').needs(ipv6)
  yield kit.command`ip -details rule show`.as('rules-ipv4.txt')
  yield kit.command`ip -details -6 rule show`.as('rules-ipv6.txt').needs(ipv6)
  yield kit.command`ip -details -statistics neighbour show nud all`.as('neighbours.txt')
}

function* services(kit: Kit): Generator<Artifact> {
  const resolved = { command: 'resolvectl', unit: 'systemd-resolved.service' }
  yield kit.command`resolvectl --no-pager status`.as('resolvectl-status.txt').needs(resolved)
  yield kit.command`resolvectl --no-pager statistics`.as('resolvectl-statistics.txt').needs(resolved)
  const networkd = { command: 'networkctl', unit: 'systemd-networkd.service' }
  yield kit.command`networkctl --no-pager --all status`.as('networkctl-status.txt').needs(networkd)
  const networkManager = { command: 'nmcli', unit: 'NetworkManager.service' }
  yield kit.command`nmcli device show`.as('nmcli-devices.txt').needs(networkManager)
}

async function derived(kit: Kit, why: string, ...parts: [string, (text: string) => string[]][]): Promise<string> {
  const texts = await Promise.all(
    parts.map(async ([name, parse]) => {
      const text = await kit.read(`/proc/net/${name}`, 16 << 20)
      const lines = text === undefined ? ['not there'] : parse(text)
      return `/proc/net/${name}:\n${lines.map((line) => `  ${line}\n`).join('')}`
    }),
  )
  return `From /proc/net, since ${why}.\n\n${texts.join('\n')}`
}

async function namespacesText(kit: Kit): Promise<string> {
  const folders = ['/run/netns', '/run/docker/netns']
  const lists = await Promise.all(
    folders.map(async (folder) => `${folder}: ${(await kit.list(folder)).join(' ') || 'none'}\n`),
  )
  return `Named network namespaces (their sockets and routes are not in this bundle).\n\n${lists.join('')}`
}
