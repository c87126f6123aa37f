/** diagd beside the engine: neither starts, stops or restarts the other. */
import { expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, property } from './harness/diagd.ts'

describeVm('beside docker', {}, (vm) => {
  test('a restart of docker leaves it running, the same process', async () => {
    const before = await property(vm(), 'MainPID', 'NRestarts')
    await vm().sh('systemctl restart docker.service docker.socket')
    expect(await property(vm(), 'MainPID', 'NRestarts')).toEqual(before)
    expect((await fetchBundle(vm(), '?only=docker')).text('docker/version.json')).toContain('"Version"')
  })

  test('so does a restart of containerd, and of all that docker needs', async () => {
    const before = await property(vm(), 'MainPID', 'NRestarts')
    await vm().sh('systemctl restart containerd.service dbus.service systemd-journald.service')
    expect(await property(vm(), 'MainPID', 'NRestarts')).toEqual(before)
    expect(await vm().run('systemctl', 'show', '--property=After,Requires,Wants,BindsTo,PartOf', 'diagd')).not.toMatch(
      /docker|containerd/,
    )
  })

  test('a docker that is stopped stays stopped, though its socket would start it', async () => {
    await vm().sh('systemctl stop docker.service && systemctl is-active docker.socket')
    const { files } = await fetchBundle(vm())
    expect(files.has('docker/version.json')).toBe(false)
    expect(await vm().sh('systemctl is-active docker.service || true; systemctl is-active docker.socket')).toBe(
      'inactive\nactive',
    )
  })
})
