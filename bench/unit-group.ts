/** A unit of a test machine as the host sees it: the processes of its control group, and their processor time. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, processesWith } from '../test/system/harness/processes.ts'
import type { Vm } from '../test/system/harness/vm.ts'

export interface UnitGroup {
  /** Their ids as they are now; none when the unit has ended. */
  pids(): number[]
  /** Of every process that there was, and of units below this one. */
  cpuSeconds(): number
}

/** Of an active unit. It is the one of version 2, which counts without being asked; systemd mounts it beside those of version 1. */
export async function groupOf(vm: Vm, unit: string): Promise<UnitGroup> {
  const group = await vm.run('systemctl', 'show', '--value', '--property=ControlGroup', unit)
  const mounts = join(rootOf(vm), 'sys/fs/cgroup')
  const folder = [join(mounts, 'unified', group), join(mounts, group)].find((path) => existsSync(`${path}/cpu.stat`))
  if (group === '' || folder === undefined) throw new Error(`${unit} has no control group on ${vm.name}`)
  return {
    pids: () => pidsBelow(folder),
    cpuSeconds: () => Number(/^usage_usec (\d+)/m.exec(readFileSync(join(folder, 'cpu.stat'), 'latin1'))![1]) / 1e6,
  }
}

/** Its root with all that is mounted there, while it runs. */
export function rootOf(vm: Vm): string {
  const [leader] = processesWith(`--machine=${vm.name}`).flatMap(childrenOf)
  return `/proc/${leader}/root`
}

/** A group may go while it is looked at. */
function pidsBelow(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...own, ...folders.flatMap(({ name }) => pidsBelow(join(folder, name)))]
  } catch {
    return []
  }
}
