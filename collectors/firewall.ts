import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { hostFiles } from './lib/host-files.ts'
import { conntrackText } from './lib/fw-conntrack.ts'

const configuration = [
  '/etc/nftables.conf',
  '/etc/nftables.d/*',
  '/etc/iptables/rules.v{4,6}',
  '/etc/sysconfig/{nftables.conf,iptables,ip6tables}',
  '/etc/default/ufw',
  '/etc/ufw/*.{conf,rules}',
  '/etc/firewalld/{firewalld.conf,direct.xml}',
  '/etc/firewalld/{zones,services,policies,ipsets,helpers,icmptypes}/*.xml',
]

/**
 * Asking a firewall can change it. Any nft or iptables command, even `iptables --version`, opens a netfilter socket, which
 * loads modules; `iptables-legacy -S` makes the tables it lists and a lock file; iptables-nft asks nft_compat for the versions of
 * its extensions. So each is asked only where its module is loaded, and by its -save form, which prints the same
 * rules as -S, of every table that is there, with counters, without lock. `ufw status` calls iptables: its state is in its files.
 */
export default {
  title: 'Firewall: nftables and iptables rules with counters, ufw, firewalld, ipset, connection tracking',
  tier: 'state',
  async *collect(kit) {
    yield kit.command`nft list ruleset`.as('nft-ruleset.txt').needs({ command: 'nft', module: 'nf_tables' })
    for (const ip of ['iptables', 'ip6tables']) {
      yield kit.command`${ip}-nft-save -c`
        .as(`${ip}-nft.txt`)
        .needs({ command: `${ip}-nft-save`, module: 'nft_compat' })
      yield await legacy(kit, ip)
    }
    yield kit.command`ipset list`.as('ipset.txt').needs({ command: 'ipset', module: 'ip_set' })
    // Over D-Bus, which would start it: only where it runs.
    const firewalld = { command: 'firewall-cmd', unit: 'firewalld.service' }
    yield kit.command`firewall-cmd --list-all-zones`.as('firewalld-zones.txt').needs(firewalld)
    yield* hostFiles(kit, ...configuration)
    yield await conntrack(kit)
  },
} satisfies Collector

/** Without -t, iptables-legacy-save lists the tables named in /proc and no others. */
async function legacy(kit: Kit, ip: string): Promise<Artifact> {
  const path = ip === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names'
  const tables = await kit.read(path)
  if (tables === undefined)
    return kit.skipped(`${ip}-legacy.txt`, `${path} is not there or not readable: no legacy tables, or no root`)
  if (tables.trim() === '') return kit.skipped(`${ip}-legacy.txt`, `${path} is empty: there are no legacy tables`)
  // Before iptables 1.8 the only kind was the legacy one, and had no name of its own.
  const old =
    (await kit.missing({ command: `${ip}-nft-save` })) && (await kit.missing({ command: `${ip}-legacy-save` }))
  const save = old ? `${ip}-save` : `${ip}-legacy-save`
  return kit.command`${save} -c`.as(`${ip}-legacy.txt`).needs({ command: save })
}

async function conntrack(kit: Kit): Promise<Artifact> {
  const folder = '/proc/sys/net/netfilter'
  const names = (await kit.list(folder)).filter((name) => name.startsWith('nf_conntrack_'))
  if (!names.includes('nf_conntrack_count')) {
    return kit.skipped('conntrack.txt', `${folder} has no nf_conntrack_count: connections are not tracked`)
  }
  return kit.text('conntrack.txt', async () => {
    const values = await Promise.all(names.map(async (name) => (await kit.read(`${folder}/${name}`))?.trim() ?? '?'))
    const settings = new Map(names.map((name, at) => [name, values[at]!]))
    return conntrackText(settings, await kit.read('/proc/net/stat/nf_conntrack'))
  })
}
