import { expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, get, property } from './harness/diagd.ts'

/** Numbers of the only ones that it can ever have (linux/capability.h). */
const CAPABILITIES = { dacReadSearch: 2n, netAdmin: 12n, netRaw: 13n, sysPtrace: 19n, syslog: 34n }

describeVm('installed by cloud-init', {}, (vm) => {
  test('runs, and has told systemd so', async () => {
    expect(await property(vm(), 'Type', 'ActiveState', 'SubState', 'NRestarts')).toEqual({
      Type: 'notify',
      ActiveState: 'active',
      SubState: 'running',
      NRestarts: '0',
    })
    expect((await property(vm(), 'StatusText')).StatusText).toContain('127.0.0.1:7433')
    expect(await vm().sh('cloud-init status --wait')).toContain('done')
    // From exec to READY; printed, not asserted.
    const { ExecMainStartTimestampMonotonic: exec, ActiveEnterTimestampMonotonic: ready } = await property(
      vm(),
      'ExecMainStartTimestampMonotonic',
      'ActiveEnterTimestampMonotonic',
    )
    console.log(`READY ${Math.round((Number(ready) - Number(exec)) / 1000)} ms after exec`)
  })

  test('runs as a user of its own that gains nothing', async () => {
    const { MainPID } = await property(vm(), 'MainPID')
    const status = await vm().run('cat', `/proc/${MainPID}/status`)
    const [uid, none, bounding] = ['Uid', 'NoNewPrivs', 'CapBnd'].map(
      (name) => status.split(`${name}:\t`)[1]!.split('\n')[0],
    )
    expect(uid).toBe(
      Array(4)
        .fill(await vm().run('id', '-u', 'diagd'))
        .join('\t'),
    )
    expect(none).toBe('1')
    expect(BigInt(`0x${bounding}`)).toBe(Object.values(CAPABILITIES).reduce((set, bit) => set | (1n << bit), 0n))
  })

  test('is open to everybody for its health, and for bundles to who has the credential of root', async () => {
    expect(JSON.parse((await get(vm(), '/health')).toString())).toMatchObject({ status: 'ok', problems: [] })
    await expect(get(vm(), '/debug-package')).rejects.toThrow('401')
    expect(await vm().sh('stat -c "%a %U" /etc/diagd/admin.header')).toBe('600 root')
    const { manifest, text } = await fetchBundle(vm())
    expect(manifest.complete).toBe(true)
    expect(text('diagd/process/status')).toMatch(/^Name:/)
    expect(text('summary.txt')).toContain('web-1')
  })
})
