/**
 * Tests on a machine of their own, on which diagd was installed from its package by cloud-init.
 *
 *     describeVm('docker', {}, (vm) => {
 *       test('…', async () => {
 *         await vm().sh('systemctl restart docker')
 */
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { createDiagdVm } from './diagd.ts'
import type { RootOptions } from './prepare.ts'
import type { Vm } from './vm.ts'

export function describeVm(name: string, options: RootOptions, tests: (vm: () => Vm) => void): void {
  const deb = inject('deb')
  describe.skipIf(deb === '')(name, () => {
    let vm: Vm
    beforeAll(async () => {
      vm = await createDiagdVm(deb, options)
      await vm.boot()
      await vm.run('systemctl', 'start', 'diagd')
    })
    afterAll(() => vm?.remove())
    tests(() => vm)
  })
}
