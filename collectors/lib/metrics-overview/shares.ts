/** What is worth a look of mounts, disks, networks and containers, as a share of what there is. No I/O. */
import { combined } from './grid.ts'
import type { Line, Thing } from './types.ts'

/** What programs have, and would not give back. */
export function memoryUsed(host: Thing): Line | undefined {
  const total = host.line('memory_total_bytes')
  const available = host.line('memory_available_bytes')
  return total && available && combined([total, turned(available)], (all, rest) => all - rest)
}

/** undefined where there is no swap. */
export function swapUsed(host: Thing): Line | undefined {
  const total = host.line('swap_total_bytes')
  const free = host.line('swap_free_bytes')
  if (!total?.max.some((value) => value !== null && value > 0)) return undefined
  return free && combined([total, turned(free)], (all, rest) => all - rest)
}

/** `memory_full`: percent of the time. The kernel adds up every two seconds; of shorter ones it tells more than there was. */
export function waited(host: Thing, what: string): Line | undefined {
  const line = host.line(`pressure_${what}_percent`)
  return line && combined([line], (percentOfTime) => Math.min(100, percentOfTime))
}

export function shareOf(part: Line | undefined, whole: Line | undefined): Line | undefined {
  return part && whole && combined([part, whole], percent)
}

/** As df counts: what is used of what users may use. */
export function spaceUsed(mount: Thing): Line | undefined {
  const used = mount.line('used_bytes')
  const available = mount.line('available_bytes')
  return used && available && combined([used, turned(available)], (is, rest) => percent(is, is + rest))
}

export function inodesUsed(mount: Thing): Line | undefined {
  const all = mount.line('inodes')
  const free = mount.line('inodes_free')
  return all && free && combined([all, turned(free)], (has, rest) => percent(has - rest, has))
}

/** What the kernel would kill for, of the limit; of one without, of the memory that is given. */
export function containerMemory(container: Thing, otherwise: Line | undefined): Line | undefined {
  const used = container.line('memory_working_set_bytes') ?? container.line('memory_usage_bytes')
  return shareOf(used, container.line('memory_limit_bytes') ?? otherwise)
}

/** Least where something else is most. */
function turned({ avg, min, max }: Line): Line {
  return { avg, min: max, max: min }
}

function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, (100 * part) / whole)
}

/** Partitions, and what lies on other disks, would be counted twice. */
const LAYERED = /^(?:dm-|md|loop|zram|ram|sr|fd)/

export const isOfDisk = ({ name }: Thing): boolean => !LAYERED.test(name)

/** Bridges and the ends of containers carry again what a card carries. */
const VIRTUAL = /^(?:lo$|veth|docker|br-|virbr|cni|flannel|cali|cilium|lxc|tun|tap|wg|ifb|dummy|podman|kube)/

export const isOfNetwork = ({ name }: Thing): boolean => !VIRTUAL.test(name)
