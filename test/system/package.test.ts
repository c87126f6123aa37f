/** The life of the package: installed, upgraded, downgraded, removed, purged. */
import { execa } from 'execa'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, get, property } from './harness/diagd.ts'
import type { Vm } from './harness/vm.ts'

const NEWER = '99.0.0'

describeVm('the package', {}, (vm) => {
  const health = async () => JSON.parse((await get(vm(), '/health')).toString()) as { status: string; pid: number }
  const installed = () => vm().run('dpkg-query', '--show', '--showformat=${Version}', 'diagd')

  test('a newer one takes over: state, configuration and token stay', async () => {
    await fetchBundle(vm(), '?only=boot')
    await vm().sh('echo "node: renamed-1" >>/etc/diagd/config.yaml; echo kept >/var/lib/diagd/kept')
    const before = { key: await digest(vm(), '/var/lib/diagd/redaction.key'), pid: (await health()).pid }
    await copyIn(vm(), await newerDeb())
    const startMs = Date.now()
    await vm().sh('dpkg --install /root/newer.deb </dev/null')
    console.log(`installed in ${Date.now() - startMs} ms`)
    expect(await installed()).toBe(NEWER)
    expect((await health()).pid).not.toBe(before.pid)
    expect(await digest(vm(), '/var/lib/diagd/redaction.key')).toBe(before.key)
    expect(await vm().run('cat', '/var/lib/diagd/kept')).toBe('kept')
    // The token of before, and the name of the changed configuration.
    expect(JSON.parse((await fetchBundle(vm(), '?only=boot')).text('index.json'))).toMatchObject({ node: 'renamed-1' })
  })

  test('the older one starts on what the newer one left', async () => {
    const before = await health()
    await vm().sh('dpkg --install /opt/diagd.deb </dev/null')
    expect(await installed()).not.toBe(NEWER)
    expect(await health()).toMatchObject({ status: 'ok' })
    expect((await health()).pid).not.toBe(before.pid)
    expect(await property(vm(), 'ActiveState', 'NRestarts')).toEqual({ ActiveState: 'active', NRestarts: '0' })
  })

  test('removed, it leaves state, configuration and token', async () => {
    await vm().sh('dpkg --remove diagd')
    await expect(get(vm(), '/health')).rejects.toThrow('exit code 7')
    expect(await vm().sh('pgrep --full [/]usr/lib/diagd || true')).toBe('')
    await vm().sh('ls /var/lib/diagd/redaction.key /var/lib/diagd/kept /etc/diagd/config.yaml /etc/diagd/admin.header')
    await vm().sh('dpkg --install /opt/diagd.deb </dev/null')
    expect(JSON.parse((await fetchBundle(vm(), '?only=boot')).text('index.json'))).toMatchObject({ node: 'renamed-1' })
  })

  test('purged, it leaves nothing of its own', async () => {
    await vm().sh('dpkg --purge diagd')
    expect(
      await vm().sh('ls -d /var/lib/diagd /etc/diagd /run/diagd /usr/lib/diagd /usr/bin/diagd 2>/dev/null || true'),
    ).toBe('')
    expect(
      await vm().sh(
        'systemctl list-unit-files --no-legend "diagd*" || true; find /etc/systemd /var/lib/systemd -name "diagd*"',
      ),
    ).toBe('')
  })
})

/** The package under test with another version: what matters is that dpkg takes it for a newer one. */
async function newerDeb(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-newer-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const tree = join(folder, 'tree')
  await execa('dpkg-deb', ['--raw-extract', inject('deb'), tree])
  const control = join(tree, 'DEBIAN/control')
  await writeFile(control, (await readFile(control, 'utf8')).replace(/^Version: .*$/m, `Version: ${NEWER}`))
  const deb = join(folder, 'newer.deb')
  await execa('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, deb])
  return deb
}

async function copyIn(vm: Vm, deb: string): Promise<void> {
  await vm.feed(await readFile(deb), 'tee', '/root/newer.deb')
}

const digest = (vm: Vm, path: string) => vm.run('sha256sum', path)
