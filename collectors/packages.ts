import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { configFiles } from './lib/config-files.ts'
import { type Holder, lockHolders, parseStat } from './lib/package-locks.ts'
import { rebootText } from './lib/package-reboot.ts'

export default {
  title: 'Packages: installed ones, history, sources and proxies, who holds the lock, pending reboots',
  tier: 'state',
  async *collect(kit) {
    yield kit.text('lock.txt', () => locks(kit))
    yield kit.text('pending-reboot.txt', () => reboot(kit))
    yield* installed(kit)
    yield* sources(kit)
    for (const [folder, glob] of histories) {
      if ((await kit.glob(glob)).length > 0) yield kit.logs(glob).as(folder).in('logs')
    }
  },
} satisfies Collector

/** Asked of the database tools themselves: apt, dnf and zypper would refresh their caches. */
async function* installed(kit: Kit): AsyncGenerator<Artifact> {
  const before = await Promise.all(['dpkg', 'rpm', 'apk'].map((command) => kit.missing({ command })))
  const [dpkg, rpm, apk] = before.map((missing) => missing === undefined)
  if (!dpkg && !rpm && !apk) yield kit.skipped('installed.txt', 'neither dpkg nor rpm nor apk is there')
  if (dpkg) yield kit.command`dpkg -l`.as('dpkg.txt')
  // Packages that are half installed or wait for their triggers; exit code 1 when there are any.
  if (dpkg) yield kit.command`dpkg --audit`.as('dpkg-audit.txt').accept(1)
  if (rpm) yield kit.command`rpm -qa --last`.as('rpm.txt')
  if (apk) yield kit.command`apk info -v`.as('apk.txt')
  // Without its daemon running, the question would start it.
  if ((await kit.missing({ command: 'snap' })) === undefined)
    yield kit.command`snap list --all`.as('snap.txt').needs({ unit: 'snapd.service' })
}

const histories = [
  ['apt/', '/var/log/apt/{history,term}.log*'],
  ['logs/', '/var/log/{dpkg,dnf,dnf.rpm,yum,hawkey,pacman}.log*'],
  ['unattended-upgrades/', '/var/log/unattended-upgrades/*.log*'],
  ['zypp/', '/var/log/zypp/history*'],
] as const

const sourceGlobs = [
  '/etc/apt/{sources.list,preferences,apt.conf}',
  '/etc/apt/sources.list.d/*.{list,sources}',
  '/etc/apt/{preferences.d,apt.conf.d}/*',
  '/etc/yum.repos.d/*.repo',
  '/etc/{yum,dnf/dnf}.conf',
  '/etc/zypp/repos.d/*.repo',
  '/etc/apk/repositories',
]

/** Files that hold nothing but logins, which the mask would leave nothing of, are named and withheld. */
async function* sources(kit: Kit): AsyncGenerator<Artifact> {
  yield* configFiles(kit, 'etc', ...sourceGlobs)
  for (const path of await kit.glob('/etc/apt/auth.conf', '/etc/apt/auth.conf.d/*'))
    yield kit.withheld(path.slice(1), 'logins of package sources')
}

const lockGlobs = [
  '/var/lib/dpkg/lock{,-frontend}',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
  '/var/lib/rpm/.rpm.lock',
  '/usr/lib/sysimage/rpm/.rpm.lock',
  '/var/cache/dnf/metadata_lock.pid',
  '/lib/apk/db/lock',
]

async function locks(kit: Kit): Promise<string> {
  const files = await kit.glob(...lockGlobs)
  if (files.length === 0) return 'There is no lock file of a package manager.\n'
  const { stdout } = await kit.run`stat --format=${'%i %D %n'} -- ${files}`
  const holders = lockHolders((await kit.read('/proc/locks')) ?? '', parseStat(stdout))
  if (holders.length === 0) return `Nobody holds a lock of a package manager (${files.join(', ')}).\n`
  return (await Promise.all(holders.map((holder) => holderText(kit, holder)))).join('\n')
}

async function holderText(kit: Kit, { path, pid, deviceDiffers }: Holder): Promise<string> {
  const guess = deviceDiffers ? ' (by the number of its inode alone)' : ''
  if (pid === 0) return `${path}: held by a process of another PID namespace${guess}\n`
  const command = (await kit.read(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ').trim()
  const parent = /^PPid:\s*(\d+)$/m.exec((await kit.read(`/proc/${pid}/status`)) ?? '')?.[1]
  return `${path}: held by process ${pid}${guess}\n  command: ${command ?? 'not readable'}\n  parent:  ${parent ?? 'unknown'}\n`
}

async function reboot(kit: Kit): Promise<string> {
  return rebootText({
    flag: await kit.read('/run/reboot-required'),
    packages: await kit.read('/run/reboot-required.pkgs'),
    runningKernel: (await kit.read('/proc/sys/kernel/osrelease'))?.trim(),
    installedKernels: await kit.list('/lib/modules'),
  })
}
