/** The processes of a unit of a test machine, as the host sees them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, processesWith } from '../test/system/harness/processes.ts'
import type { Vm } from '../test/system/harness/vm.ts'

/** Gives their ids as they are at each call; none when the unit has ended. */
export async function processesOf(vm: Vm, unit: string): Promise<() => number[]> {
  const group = await vm.run('systemctl', 'show', '--value', '--property=ControlGroup', unit)
  // Through the machine's own mounts; the ids in there are those of who reads.
  const [leader] = processesWith(`--machine=${vm.name}`).flatMap(childrenOf)
  const mounts = `/proc/${leader}/root/sys/fs/cgroup`
  const folder = [join(mounts, 'systemd', group), join(mounts, group)].find((path) => existsSync(path))
  if (group === '' || folder === undefined) throw new Error(`${unit} has no control group on ${vm.name}`)
  return () => pidsBelow(folder)
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
