import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createAuthority } from '../helpers/tls.ts'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, get, property } from './harness/diagd.ts'
import { VM_ADDRESS } from './harness/network.ts'

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

  test('is reached from another machine over TLS, and not at all before', async () => {
    const outside = (...args: string[]) =>
      vm().fromNetwork('outside', ['curl', '--silent', '--fail', '--max-time', '60', ...args])
    await expect(outside(`http://${VM_ADDRESS}:7433/health`)).rejects.toThrow('exit code 7')
    const authority = createAuthority()
    const { certificate, key } = authority.sign('server')
    await vm().sh('install -d /etc/diagd/tls')
    for (const [path, from] of [
      ['cert.pem', certificate],
      ['key.pem', key],
    ] as const) {
      await vm().feed(await readFile(from), 'tee', `/etc/diagd/tls/${path}`)
    }
    await vm().sh(`chgrp diagd /etc/diagd/tls/key.pem; chmod 640 /etc/diagd/tls/key.pem
cat >>/etc/diagd/config.yaml <<'END'
listen: ${VM_ADDRESS}:7433
tls: { certificate: /etc/diagd/tls/cert.pem, key: /etc/diagd/tls/key.pem }
END
systemctl restart diagd`)
    const trust = ['--cacert', authority.certificate, '--connect-to', `localhost:7433:${VM_ADDRESS}:7433`]
    const url = 'https://localhost:7433'
    expect(JSON.parse((await outside(...trust, `${url}/health`)).toString())).toMatchObject({ problems: [] })
    await expect(outside(...trust, `${url}/debug-package`)).rejects.toThrow('exit code 22')
  })
})
