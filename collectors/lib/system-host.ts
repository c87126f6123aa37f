import type { Kit } from '../../src/collector.ts'

export type HostKind = 'bare metal' | 'vm' | 'container' | 'pod' | 'gvisor' | 'unknown'

export interface Evidence {
  readonly path: string
  readonly says: string
  readonly kind: HostKind
}

/** The namespace that the kernel starts with (PROC_PID_INIT_INO in include/linux/proc_ns.h); containers live in others. */
const initialPidNamespace = 'pid:[4026531836]'

/** From the innermost wall outward: a Pod in gVisor on a VM is first of all gVisor, and `evidence` names the rest. */
const innermostFirst: readonly HostKind[] = ['gvisor', 'pod', 'container', 'vm', 'bare metal']

/** What kind of machine this is, and what makes us think so. */
export async function hostKind(kit: Kit): Promise<{ kind: HostKind; evidence: Evidence[] }> {
  const found = await Promise.all([gvisor(kit), pod(kit), container(kit), machine(kit)])
  const evidence = found.flat()
  const kind = innermostFirst.find((candidate) => evidence.some((piece) => piece.kind === candidate)) ?? 'unknown'
  return { kind, evidence }
}

/** gVisor answers /proc/version with a fixed release and date, and its dmesg begins with its name. */
async function gvisor(kit: Kit): Promise<Evidence[]> {
  const version = (await kit.read('/proc/version'))?.trim() ?? ''
  if (!/gvisor|^Linux version 4\.4\.0 #1 SMP Sun Jan 10 15:06:54 PST 2016/i.test(version)) return []
  return [{ path: '/proc/version', says: version, kind: 'gvisor' }]
}

async function pod(kit: Kit): Promise<Evidence[]> {
  const account = '/var/run/secrets/kubernetes.io'
  const mounted = (await kit.stat(account))
    ? [{ path: account, says: 'a service account is mounted', kind: 'pod' as const }]
    : []
  return [...mounted, ...(await cgroupsNaming('pod', /kubepods/, kit))]
}

async function container(kit: Kit): Promise<Evidence[]> {
  const namespace = await kit.readlink(`/proc/${kit.self.pid}/ns/pid`)
  const names = /\/(docker|lxc|libpod|containerd|machine\.slice|garden|ecs)\b/
  const evidence = await cgroupsNaming('container', names, kit)
  if (namespace && namespace !== initialPidNamespace) {
    evidence.push({ path: 'ns/pid', says: `${namespace} is not the initial namespace`, kind: 'container' })
  }
  // The root file system of a VM may have been an image once, with the mark left in it.
  const leftOver = namespace === initialPidNamespace && evidence.length === 0
  return [...evidence, ...(await marks(kit)).map((piece) => (leftOver ? disbelieved(piece) : piece))]
}

const disbelieved = (piece: Evidence): Evidence => ({
  ...piece,
  says: `${piece.says}, but we are in the initial PID namespace: left over from an image`,
  kind: 'unknown',
})

async function marks(kit: Kit): Promise<Evidence[]> {
  const evidence: Evidence[] = []
  const add = (path: string, says: string) => evidence.push({ path, says, kind: 'container' })
  if (await kit.stat('/.dockerenv')) add('/.dockerenv', 'Docker puts it into every container')
  const podman = await kit.read('/run/.containerenv')
  if (podman !== undefined) add('/run/.containerenv', /engine="(.*)"/.exec(podman)?.[1] ?? 'podman or buildah made it')
  const systemd = await kit.read('/run/systemd/container')
  if (systemd) add('/run/systemd/container', systemd.trim())
  return evidence
}

/** Lines of PID 1's and our own cgroup that match; one of each process, as all hierarchies say the same. */
async function cgroupsNaming(kind: HostKind, pattern: RegExp, kit: Kit): Promise<Evidence[]> {
  const paths = ['/proc/1/cgroup', `/proc/${kit.self.pid}/cgroup`]
  const found = await Promise.all(
    paths.map(async (path) => {
      const line = ((await kit.read(path)) ?? '').split('\n').find((candidate) => pattern.test(candidate))
      return line === undefined ? [] : [{ path, says: line, kind }]
    }),
  )
  return found.flat()
}

async function machine(kit: Kit): Promise<Evidence[]> {
  const evidence: Evidence[] = []
  const xen = (await kit.read('/sys/hypervisor/type'))?.trim()
  if (xen) evidence.push({ path: '/sys/hypervisor/type', says: xen, kind: 'vm' })
  const cpuinfo = (await kit.read('/proc/cpuinfo')) ?? ''
  const hypervisor = /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)
  if (hypervisor) evidence.push({ path: '/proc/cpuinfo', says: 'the processor flag "hypervisor" is set', kind: 'vm' })
  const [vendor, product] = await Promise.all(
    ['sys_vendor', 'product_name'].map(async (name) => (await kit.read(`/sys/class/dmi/id/${name}`))?.trim() ?? ''),
  )
  const dmi = `${vendor} ${product}`.trim()
  const virtual =
    /qemu|kvm|bochs|vmware|virtualbox|innotek|xen|virtual machine|openstack|amazon ec2|google compute|digitalocean|hetzner|parallels|bhyve|apple virtualization|firecracker/i
  if (virtual.test(dmi)) evidence.push({ path: '/sys/class/dmi/id', says: dmi, kind: 'vm' })
  // Only x86 has the flag, so only there its absence means anything.
  else if (dmi !== '' && /^flags\s*:/m.test(cpuinfo) && !hypervisor) {
    evidence.push({ path: '/sys/class/dmi/id', says: `${dmi}, and no processor flag "hypervisor"`, kind: 'bare metal' })
  }
  return evidence
}

/** Looks up a field of os-release(5): `PRETTY_NAME`. */
export async function osRelease(kit: Kit): Promise<(name: string) => string | null> {
  const release = (await kit.read('/etc/os-release')) ?? (await kit.read('/usr/lib/os-release')) ?? ''
  return (name) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1] ?? null
}
