import type { Collector, Kit } from '../src/collector.ts'
import { configFiles } from './lib/config-files.ts'
import { allCgroups, ownCgroups } from './lib/system-cgroup.ts'
import { clock } from './lib/system-clock.ts'
import { disks, processors } from './lib/system-hardware.ts'
import { hostKind, osRelease } from './lib/system-host.ts'
import { sysctl } from './lib/system-sysctl.ts'

const procFiles =
  'version cmdline uptime loadavg meminfo vmstat buddyinfo interrupts softirqs stat cpuinfo modules swaps diskstats slabinfo'

export default {
  title: 'Kind of host, processors, memory, disks, kernel, clock, cgroup limits, sysctl',
  tier: 'facts',
  async *collect(kit) {
    yield kit.json('host.json', () => host(kit))
    yield kit.json('cpu.json', () => processors(kit))
    yield kit.json('memory.json', async () => ({ unit: 'bytes', memory: await kit.systeminformation('mem') }))
    yield kit.json('disks.json', () => disks(kit))
    yield kit.json('clock.json', () => clock(kit))
    yield kit.json('cgroup.json', () => ownCgroups(kit))
    yield kit.json('cgroup-units.json', () => allCgroups(kit)).in('state')
    yield kit.file('/etc/os-release', { within: ['/usr/lib'] }).as('os-release.txt')
    yield kit.command`uname -a`.as('uname.txt').needs({ command: 'uname' })
    for (const name of procFiles.split(' ')) yield kit.file(`/proc/${name}`).as(`proc/${name}`)
    yield kit.files('/proc/pressure/*').as('proc/pressure/')
    yield kit.text('sysctl.txt', () => sysctl(kit)).in('state')
    yield kit.file(`/proc/${kit.self.pid}/limits`).as('ulimits/diagd.txt')
    yield kit.file('/proc/1/limits').as('ulimits/pid-1.txt')
    const sysctls = ['/etc/sysctl.conf', '/{etc,run}/sysctl.d/*.conf', '/usr/lib/sysctl.d/*.conf']
    const clocks = ['/etc/{chrony,ntpsec}/*.conf', '/etc/{chrony.conf,ntp.conf,adjtime}', '/etc/systemd/timesyncd.conf']
    const modules = ['/etc/modules', '/etc/{modules-load,modprobe}.d/*.conf']
    const limits = ['/etc/security/limits.conf', '/etc/security/limits.d/*.conf']
    for await (const file of configFiles(kit, 'config', ...limits, ...sysctls, ...clocks, ...modules))
      yield file.in('state')
  },
} satisfies Collector

async function host(kit: Kit) {
  const field = await osRelease(kit)
  const dmi = ['sys_vendor', 'product_name', 'product_version', 'bios_vendor', 'bios_version', 'chassis_asset_tag']
  return {
    ...(await hostKind(kit)),
    'host.name': kit.host.hostname,
    'os.name': field('NAME'),
    'os.version': field('VERSION_ID'),
    'os.description': field('PRETTY_NAME'),
    kernel: (await kit.read('/proc/version'))?.trim() ?? null,
    commandLine: (await kit.read('/proc/cmdline'))?.trim() ?? null,
    bootId: kit.host.bootId,
    uptimeSeconds: Number((await kit.read('/proc/uptime'))?.split(' ')[0]),
    pid1IsSystemd: kit.host.systemd,
    dmi: Object.fromEntries(
      await Promise.all(dmi.map(async (name) => [name, (await kit.read(`/sys/class/dmi/id/${name}`))?.trim() ?? null])),
    ),
  }
}
