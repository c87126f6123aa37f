import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import firewall from '../../collectors/firewall.ts'
import { described, fakeCommands, fixture, testKit } from '../helpers/kit.ts'

const root = fixture('collectors-2', 'vm')
const both = { 'iptables-nft-save': '', 'iptables-legacy-save': '' }
const look = async (options: { root?: string; scripts?: Record<string, string> } = {}) =>
  described(firewall, testKit({ root: options.root ?? root, bin: await fakeCommands(options.scripts ?? both) }))

test('nothing is asked whose module is not loaded', async () => {
  const entries = await look()
  expect(entries.named('nft-ruleset.txt').needs).toEqual([{ command: 'nft', module: 'nf_tables' }])
  expect(entries.named('iptables-nft.txt').needs).toEqual([{ command: 'iptables-nft-save', module: 'nft_compat' }])
  expect(entries.named('ip6tables-nft.txt').needs).toEqual([{ command: 'ip6tables-nft-save', module: 'nft_compat' }])
  expect(entries.named('ipset.txt').needs).toEqual([{ command: 'ipset', module: 'ip_set' }])
})

test('only lists that change nothing are asked for, with counters', async () => {
  expect((await look()).commands).toEqual([
    'nft list ruleset',
    'iptables-nft-save -c',
    'iptables-legacy-save -c',
    'ip6tables-nft-save -c',
    'ipset list',
    'firewall-cmd --list-all-zones',
  ])
})

test('legacy tables are listed where the kernel names some, and skipped where it names none', async () => {
  const entries = await look()
  expect(entries.named('iptables-legacy.txt').argv).toEqual(['iptables-legacy-save', '-c'])
  expect(entries.named('ip6tables-legacy.txt')).toMatchObject({
    kind: 'skipped',
    reason: '/proc/net/ip6_tables_names is empty: there are no legacy tables',
  })
})

test('legacy tables are skipped where the list of tables is not there or not readable', async () => {
  const entries = await look({ root: await emptyRoot() })
  expect(entries.named('iptables-legacy.txt').kind).toBe('skipped')
})

test('before iptables 1.8 the command without a suffix is the legacy one', async () => {
  expect((await look({ scripts: { 'iptables-save': '' } })).named('iptables-legacy.txt').argv).toEqual([
    'iptables-save',
    '-c',
  ])
})

test('a command without a suffix that may be the nft one is not taken for the legacy one', async () => {
  const entries = await look({ scripts: { 'iptables-save': '', 'iptables-nft-save': '' } })
  expect(entries.named('iptables-legacy.txt').argv).toEqual(['iptables-legacy-save', '-c'])
})

test('firewalld is asked only where it runs, since asking would start it', async () => {
  expect((await look()).named('firewalld-zones.txt').needs).toEqual([
    { command: 'firewall-cmd', unit: 'firewalld.service' },
  ])
})

test('ufw is read from its files: its command calls iptables', async () => {
  const { commands, names } = await look()
  expect(commands.filter((command) => command.startsWith('ufw'))).toEqual([])
  expect(names).toEqual(expect.arrayContaining(['etc/default/ufw', 'etc/ufw/ufw.conf', 'etc/ufw/user.rules']))
})

test('a machine without any firewall configuration says so once', async () => {
  const entry = (await look({ root: await emptyRoot() })).named('etc')
  expect(entry.kind).toBe('skipped')
  expect(entry.reason).toContain('/etc/nftables.conf')
})

test('conntrack.txt shows how full the table is and what all CPUs dropped', async () => {
  const text = await (await look()).value('conntrack.txt')
  expect(text).toContain('65535 of at most 65536 connections are tracked (100.0%)')
  expect(text).toMatch(/^drop\s+26 {2}packets dropped/m)
  expect(text).toMatch(/^nf_conntrack_tcp_loose\s+1$/m)
})

test('conntrack is skipped where connections are not tracked', async () => {
  const entries = await look({ root: await emptyRoot() })
  expect(entries.named('conntrack.txt')).toMatchObject({ kind: 'skipped' })
})

test('conntrack without its counters still shows how full the table is', async () => {
  const bare = await emptyRoot()
  await mkdir(join(bare, 'proc/sys/net/netfilter'), { recursive: true })
  await writeFile(join(bare, 'proc/sys/net/netfilter/nf_conntrack_count'), '5\n')
  await writeFile(join(bare, 'proc/sys/net/netfilter/nf_conntrack_max'), '10\n')
  const text = await (await look({ root: bare })).value('conntrack.txt')
  expect(text).toContain('5 of at most 10 connections are tracked (50.0%)')
  expect(text).toContain('nf_conntrack are not there')
})

async function emptyRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-firewall-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
