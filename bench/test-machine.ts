/** A test machine with the real package, for measuring: what the system test boots, without its tests. */
import { rm } from 'node:fs/promises'
import { folderOfThisRun } from '../test/system/harness/cache.ts'
import { createDiagdVm } from '../test/system/harness/diagd.ts'
import { buildDeb } from '../test/system/harness/global-setup.ts'
import { removeLeftovers } from '../test/system/harness/machine.ts'
import { missing } from '../test/system/harness/needs.ts'
import type { RootOptions } from '../test/system/harness/prepare.ts'
import type { Vm } from '../test/system/harness/vm.ts'
import type { Row } from './table.ts'

export interface TestMachine {
  readonly vm: Vm
  /** The package that is installed there, on the host. */
  readonly deb: string
  /** Of the host, empty. */
  readonly folder: string
}

/** What `measure` gives, or one row that says what is missing here. */
export async function onTestMachine(
  part: string,
  options: RootOptions,
  measure: (machine: TestMachine) => Promise<Row[]>,
): Promise<Row[]> {
  const absent = missing()
  if (absent.length > 0)
    return [{ what: part, measured: `needs ${absent.join(' and ')}`, beside: 'node test/system/setup.ts gets it' }]
  await removeLeftovers()
  const folder = await folderOfThisRun(`bench-${part}`)
  try {
    const deb = await buildDeb(folder)
    const vm = await createDiagdVm(deb, options)
    try {
      await vm.boot()
      await vm.run('systemctl', 'start', 'diagd')
      return await measure({ vm, deb, folder })
    } finally {
      await vm.remove()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
