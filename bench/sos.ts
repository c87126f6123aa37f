/**
 * sos for a test machine: its packages, as apt would choose them there, and how it is run. Fetched by the apt of this machine
 * with lists of its own; neither what is installed here nor the cached root file system is changed.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { rootFolder } from '../test/system/harness/rootfs.ts'
import type { Vm } from '../test/system/harness/vm.ts'

export interface Sos {
  readonly version: string
  readonly debs: readonly string[]
}

/** Of the machine's own Debian, and of its backports. */
export async function fetchSos(folder: string): Promise<Sos[]> {
  const sources = readFileSync(join(rootFolder(), 'etc/apt/sources.list'), 'utf8')
  const [first, , , suite] = /^deb (\S+) ((\S+)) main/m.exec(sources) ?? []
  if (first === undefined) throw new Error(`${rootFolder()}/etc/apt/sources.list names no archive of Debian`)
  const found: Sos[] = []
  for (const [name, target] of [
    ['sosreport', suite!],
    ['sos', `${suite}-backports`],
  ] as const) {
    const own = join(folder, name)
    for (const path of ['lists/partial', 'archives/partial', 'parts']) mkdirSync(join(own, path), { recursive: true })
    writeFileSync(join(own, 'sources.list'), `${sources}\n${first.replace(` ${suite} `, ` ${suite}-backports `)}\n`)
    const apt = (...args: string[]) => execa('apt-get', [...aptOptions(own), '-qq', ...args])
    await apt('update')
    await apt('install', '--yes', '--download-only', '--no-install-recommends', `--target-release=${target}`, name)
    const files = readdirSync(join(own, 'archives')).filter((file) => file.endsWith('.deb'))
    const version = files.map((file) => new RegExp(`^${name}_([^_]+)_`).exec(file)?.[1]).find(Boolean)
    found.push({ version: decodeURIComponent(version!), debs: files.map((file) => join(own, 'archives', file)) })
  }
  return found
}

function aptOptions(own: string): string[] {
  const places = {
    'Dir::Etc::sourcelist': `${own}/sources.list`,
    'Dir::Etc::sourceparts': `${own}/parts`,
    'Dir::State::lists': `${own}/lists`,
    'Dir::State::extended_states': `${own}/extended_states`,
    'Dir::State::status': `${rootFolder()}/var/lib/dpkg/status`,
    'Dir::Cache': own,
    'Debug::NoLocking': 'true',
  }
  return Object.entries(places).map(([name, value]) => `--option=${name}=${value}`)
}

/** In place of another version. */
export async function installSos(vm: Vm, { debs }: Sos): Promise<void> {
  await vm.sh('dpkg --purge sosreport sos 2>/dev/null; rm -rf /root/sos-debs; mkdir /root/sos-debs')
  for (const [at, deb] of debs.entries()) await vm.feed(readFileSync(deb), 'tee', `/root/sos-debs/${at}.deb`)
  await vm.sh('dpkg --install /root/sos-debs/*.deb')
}
