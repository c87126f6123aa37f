/** What machine this is, on one page for programs: GET /system-info. No I/O but the kit's. */
import type { Kit } from '../../src/collector.ts'
import { inParallel } from './proc-text.ts'
import { parseMountinfo, realMounts, type RealMount } from './storage-mounts.ts'
import { ownCgroups } from './system-cgroup.ts'
import { clock } from './system-clock.ts'
import { disks, processors } from './system-hardware.ts'
import { hostKind } from './system-host.ts'
import { cloudOf, resource } from './system-resource.ts'

/** What the process is told by its runtime, and no file tells better. */
export interface Surroundings {
  /** As OpenTelemetry names it: `amd64`, `arm64`. */
  readonly arch: string
  /** By interface: `192.0.2.7/24`. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
}

/** A host of containers has more of both; what is left out is counted. */
const mostMounts = 200
const mostInterfaces = 200

export async function systemInfo(kit: Kit, { arch, addresses }: Surroundings) {
  const cloud = await cloudOf(kit)
  const mounts = await mountList(kit)
  const interfaces = await interfaceList(kit, addresses)
  return {
    schema: 'diagd.system-info/1',
    time: new Date().toISOString(),
    resource: await resource(kit, arch, cloud),
    kernel: await kernel(kit),
    virtualization: await hostKind(kit),
    cpu: await processors(kit),
    memory: await memory(kit),
    disks: await disks(kit),
    mounts: mounts.shown,
    mountsLeftOut: mounts.leftOut,
    interfaces: interfaces.shown,
    interfacesLeftOut: interfaces.leftOut,
    engines: await engines(kit),
    cloud,
    boot: { id: kit.host.bootId, pid1IsSystemd: kit.host.systemd },
    clock: await clock(kit),
    diagd: {
      'service.name': 'diagd',
      'service.version': kit.self.version,
      'process.pid': kit.self.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': kit.self.nodeVersion,
      node: kit.host.node,
      startedAt: new Date(kit.self.startedAtMs).toISOString(),
    },
  }
}

async function kernel(kit: Kit) {
  const at = async (path: string) => (await kit.read(path))?.trim() ?? null
  return {
    release: await at('/proc/sys/kernel/osrelease'),
    version: await at('/proc/version'),
    commandLine: await at('/proc/cmdline'),
    cgroup: (await ownCgroups(kit)).version,
  }
}

/** Of /proc/meminfo, in bytes; null where the kernel does not tell (gVisor). */
async function memory(kit: Kit) {
  const text = (await kit.read('/proc/meminfo')) ?? ''
  const at = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  }
  return {
    totalBytes: at('MemTotal'),
    availableBytes: at('MemAvailable'),
    swapTotalBytes: at('SwapTotal'),
    swapFreeBytes: at('SwapFree'),
  }
}

async function mountList(kit: Kit) {
  const text = (await kit.read('/proc/1/mountinfo', 8 << 20)) ?? (await kit.read('/proc/self/mountinfo', 8 << 20))
  const real = realMounts(parseMountinfo(text ?? ''))
  const shown = await inParallel(real.slice(0, mostMounts), 8, kit.signal, (mount) => mounted(kit, mount))
  return { shown, leftOut: Math.max(0, real.length - mostMounts) }
}

/** One that does not answer costs its own numbers only. */
async function mounted(kit: Kit, { mountPoint, source, type, options, superOptions }: RealMount) {
  const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'))
  const row = { mountPoint, source, type, readOnly }
  try {
    const { blocks, blocksAvailable, blockSizeBytes, inodes, inodesFree } = await kit.statfs(mountPoint)
    const [sizeBytes, availableBytes] = [blocks * blockSizeBytes, blocksAvailable * blockSizeBytes]
    return { ...row, sizeBytes, availableBytes, inodes, inodesFree }
  } catch (error) {
    return { ...row, problem: error instanceof Error ? error.message : String(error) }
  }
}

async function interfaceList(kit: Kit, addresses: Surroundings['addresses']) {
  const names = await kit.list('/sys/class/net')
  const shown = await inParallel(names.slice(0, mostInterfaces), 8, kit.signal, async (name) => {
    const at = async (file: string) => (await kit.read(`/sys/class/net/${name}/${file}`))?.trim() || null
    const [state, mac, mtu, speed] = await Promise.all(['operstate', 'address', 'mtu', 'speed'].map(at))
    // The kernel says -1 where the driver does not tell.
    const speedMbit = speed != null && Number(speed) > 0 ? Number(speed) : null
    return { name, state, mac, mtu: mtu == null ? null : Number(mtu), speedMbit, addresses: addresses[name] ?? [] }
  })
  return { shown, leftOut: Math.max(0, names.length - mostInterfaces) }
}

async function engines(kit: Kit) {
  const { present, absent } = await kit.engines()
  return {
    running: present.map(({ kind, socket, label }) => ({ kind, socket, label })),
    absent: absent.map(({ socket, reason }) => ({ socket, reason })),
  }
}
