/** The disk is full, or read-only: it says so, and goes on answering. */
import { expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, get, property } from './harness/diagd.ts'

describeVm('without a disk to write to', {}, (vm) => {
  test('full: bundles are made all the same', async () => {
    await vm().sh('systemctl stop diagd; mount -t tmpfs -o size=64k,mode=700,uid=diagd,gid=diagd tmpfs /var/lib/diagd')
    await vm().sh('cat /dev/zero >/var/lib/diagd/ballast || true; systemctl start diagd')
    expect(await vm().sh('df --output=avail /var/lib/diagd | tail -n 1')).toMatch(/^\s*0$/)
    const { manifest, text } = await fetchBundle(vm())
    expect(manifest).toMatchObject({ complete: true, redaction: { masked: true, sameWithin: 'process' } })
    expect(manifest.redaction.problems).toEqual([expect.stringContaining('no space left on device')])
    expect(text('storage/usage.txt')).toContain('/var/lib/diagd')
    expect(await property(vm(), 'ActiveState', 'NRestarts')).toEqual({ ActiveState: 'active', NRestarts: '0' })
    await vm().sh('systemctl stop diagd; umount /var/lib/diagd; systemctl start diagd')
  })

  test('read-only: it says so, and serves', async () => {
    await vm().sh('systemctl stop diagd; mount -t tmpfs -o ro,mode=700,uid=diagd,gid=diagd tmpfs /var/lib/diagd')
    await vm().sh('systemctl start diagd')
    const { manifest } = await fetchBundle(vm())
    expect(manifest).toMatchObject({ complete: true, redaction: { masked: true, sameWithin: 'process' } })
    expect(manifest.redaction.problems).toEqual([expect.stringContaining('read-only file system')])
    expect(JSON.parse((await get(vm(), '/health')).toString())).toHaveProperty('status')
    expect(await property(vm(), 'ActiveState', 'NRestarts')).toEqual({ ActiveState: 'active', NRestarts: '0' })
  })
})
