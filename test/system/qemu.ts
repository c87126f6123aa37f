/**
 * `npm run test:qemu`: what a container cannot show. A machine with a kernel of its own, in software emulation (some minutes):
 * control groups of version 2, the log of its kernel, and that asking loads no module.
 */
import assert from 'node:assert/strict'
import { mkdir, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { folderOfThisRun } from './harness/cache.ts'
import { installingUserData, openBundle } from './harness/diagd.ts'
import { buildDeb } from './harness/global-setup.ts'
import { KERNEL, rootFolder } from './harness/rootfs.ts'

const UNIT = `[Unit]
Description=The test
[Service]
ExecStart=/bin/bash /opt/qemu-stage.sh
[Install]
WantedBy=multi-user.target
`

/** Docker would load the modules of the firewall before anybody asks; there is no network to wait for. */
const MASKED = ['docker.service', 'docker.socket', 'containerd.service', 'systemd-networkd-wait-online.service']

const folder = await folderOfThisRun('qemu')
try {
  await makeDisks()
  console.log('the first boot, which installs …')
  await boot()
  console.log('the second …')
  await boot()
  await check()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function makeDisks(): Promise<void> {
  const upper = join(folder, 'upper')
  const system = join(upper, 'etc/systemd/system')
  const files = {
    'etc/hostname': 'web-1\n',
    'etc/hosts': '127.0.0.1 localhost web-1\n',
    'etc/machine-id': 'uninitialized\n',
    'etc/cloud/cloud.cfg.d/90_test.cfg':
      'datasource_list: [ NoCloud, None ]\nnetwork: { config: disabled }\nlocale: false\n',
    'var/lib/cloud/seed/nocloud/meta-data': 'instance-id: i-qemu\n',
    'var/lib/cloud/seed/nocloud/user-data': installingUserData(),
    'etc/systemd/system/qemu-stage.service': UNIT,
    'opt/qemu-stage.sh': await readFile(join(import.meta.dirname, 'qemu-stage.sh')),
    'opt/diagd.deb': await readFile(await buildDeb(folder)),
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(upper, path)), { recursive: true })
    await writeFile(join(upper, path), content)
  }
  await mkdir(join(system, 'multi-user.target.wants'), { recursive: true })
  await symlink('../qemu-stage.service', join(system, 'multi-user.target.wants/qemu-stage.service'))
  for (const unit of MASKED) await symlink('/dev/null', join(system, unit))
  await mkdir(join(folder, 'work'))
  await mkdir(join(folder, 'merged'))
  const script = 'mount -t overlay -o "$1" overlay "$2"; mke2fs -q -t ext4 -F -d "$2" "$3" 3G'
  const overlay = `lowerdir=${rootFolder(KERNEL)},upperdir=${upper},workdir=${join(folder, 'work')}`
  await execa('unshare', ['--mount', 'sh', '-euc', script, 'sh', overlay, join(folder, 'merged'), join(folder, 'disk')])
  await writeFile(join(folder, 'result'), '')
  await truncate(join(folder, 'result'), 256 * 1024 * 1024)
}

async function boot(): Promise<void> {
  const [kernel] = globSync(join(rootFolder(KERNEL), 'boot/vmlinuz-*'))
  const [initrd] = globSync(join(rootFolder(KERNEL), 'boot/initrd.img-*'))
  const disks = ['disk', 'result'].flatMap((name) => [
    '-drive',
    `file=${join(folder, name)},format=raw,if=virtio,cache=unsafe`,
  ])
  const serial = ['console', 'report'].flatMap((name) => ['-serial', `file:${join(folder, name)}`])
  const machine = [
    '-machine',
    'q35',
    '-accel',
    'tcg',
    '-cpu',
    'max',
    '-smp',
    '2',
    '-m',
    '1536',
    '-nic',
    'none',
    '-display',
    'none',
  ]
  const line = ['-kernel', kernel!, '-initrd', initrd!, '-append', 'root=/dev/vda rw console=ttyS0 apparmor=0']
  await execa('qemu-system-x86_64', [...machine, '-no-reboot', ...serial, ...disks, ...line], { timeout: 1_200_000 })
}

async function check(): Promise<void> {
  const text = await readFile(join(folder, 'report'), 'utf8')
  const report = Object.fromEntries([...text.matchAll(/^(\w+)=(.*?)\s*$/gm)].map(([, key, value]) => [key!, value!]))
  console.log(text)
  const bundle = await openBundle(await readResult(Number(report['bundle'])))
  assert.doesNotMatch(report['failed'] ?? 'none', /diagd|none/)
  assert.equal(report['restarts'], '0', 'it started at the first attempt')
  assert.match(report['high'] ?? '', /^\d+$/, 'MemoryHigh is set, on control groups of version 2')
  assert.ok(Number(report['max']) > Number(report['high']))
  assert.ok(Number(report['known']) > 0, 'this kernel has modules')
  assert.equal(report['loaded'], '', 'asking loaded a module')
  assert.equal(bundle.manifest.complete, true)
  const [ring, journal] = [bundle.text('kernel/dmesg.log'), bundle.text('journal/boot-0.log')]
  assert.ok(/Linux version [^]*planted in the log of the kernel/.test(ring), 'dmesg.log has the log of this kernel')
  assert.ok(journal.includes('kernel: Linux version'), 'so has the journal')
  console.log(`passed: ${bundle.files.size} entries`)
}

async function readResult(length: number): Promise<Buffer> {
  assert.ok(length > 0, 'no bundle arrived')
  const file = await open(join(folder, 'result'))
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, 0)
    return buffer
  } finally {
    await file.close()
  }
}
