/**
 * `npm run test:qemu`: what a container cannot show. A machine with a kernel of its own, in software emulation (some minutes):
 * control groups of version 2, with an engine on them, the log of its kernel and the events that come of it, a power cut under which what was not
 * written is lost, and that asking loads no module.
 */
import assert from 'node:assert/strict'
import { mkdir, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { Environment } from '../../collectors/lib/docker-environment.ts'
import { folderOfThisRun } from './harness/cache.ts'
import { installingUserData, openBundle, type Bundle } from './harness/diagd.ts'
import { buildDeb } from './harness/global-setup.ts'
import { withDatabase } from './harness/recorded.ts'
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

/** Where the second bundle begins on the disk of results. */
const ENGINE_AT = 192 * 1024 * 1024

const folder = await folderOfThisRun('qemu')
try {
  await makeDisks()
  console.log('the first boot, which installs …')
  await boot(1)
  console.log('the second, in which a process is killed for its memory, one crashes, one hangs, and the power is cut …')
  await boot(2)
  console.log('the third …')
  await boot(3)
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
    'opt/image/bin/busybox': await readFile('/bin/busybox'),
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

async function boot(number: number): Promise<void> {
  const [kernel] = globSync(join(rootFolder(KERNEL), 'boot/vmlinuz-*'))
  const [initrd] = globSync(join(rootFolder(KERNEL), 'boot/initrd.img-*'))
  const disks = ['disk', 'result'].flatMap((name) => [
    '-drive',
    `file=${join(folder, name)},format=raw,if=virtio,cache=unsafe`,
  ])
  const serial = ['console', `report-${number}`].flatMap((name) => ['-serial', `file:${join(folder, name)}`])
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
  const text = (await Promise.all([2, 3].map((number) => readFile(join(folder, `report-${number}`), 'utf8')))).join('')
  const report = Object.fromEntries([...text.matchAll(/^(\w+)=(.*?)\s*$/gm)].map(([, key, value]) => [key!, value!]))
  console.log(text)
  const bundle = await openBundle(await readResult(Number(report['bundle'])))
  checkEngine(await openBundle(await readResult(Number(report['engine']), ENGINE_AT)))
  assert.doesNotMatch(report['failed'] ?? 'none', /diagd|none/)
  assert.equal(report['restarts'], '0', 'it started at the first attempt')
  assert.equal(report['restarts_after_cut'], '0', 'after a power cut, too')
  assert.match(report['high'] ?? '', /^\d+$/, 'MemoryHigh is set, on control groups of version 2')
  assert.ok(Number(report['max']) > Number(report['high']))
  assert.ok(Number(report['known']) > 0, 'this kernel has modules')
  assert.equal(report['loaded'], '', 'asking loaded a module')
  assert.equal(bundle.manifest.complete, true)
  const [ring, journal] = [bundle.text('kernel/dmesg.log'), bundle.text('journal/boot-0.log')]
  assert.ok(/Linux version [^]*planted in the log of the kernel/.test(ring), 'dmesg.log has the log of this kernel')
  assert.ok(journal.includes('kernel: Linux version'), 'so has the journal')
  checkRecorded(bundle)
  console.log(`passed: ${bundle.files.size} entries`)
}

/** An engine on control groups of version 2. */
function checkEngine({ files, text }: Bundle): void {
  const environment = JSON.parse(text('docker/environment.json')) as Environment
  const { cgroup, storage, rootPropagation, socket } = environment
  console.log(text('docker/environment.txt'))
  assert.deepEqual(
    { version: cgroup.version, engineSays: cgroup.engineSays, driver: cgroup.driver, missing: cgroup.missing },
    { version: 'v2', engineSays: '2', driver: 'systemd', missing: [] },
  )
  assert.deepEqual([storage.driver, storage.mount?.type], ['vfs', 'ext4'])
  assert.match(rootPropagation.mode ?? '', /^shared:/)
  assert.equal('mode' in socket ? `${socket.mode} ${socket.group}` : 'no socket', '0660 docker')
  const log = [...files].find(([name]) => /^containers\/brief-\w+\/log\.log$/.test(name))
  assert.match(log?.[1].toString() ?? 'no log', /stdout F ready\n.* stderr F last words\n$/)
}

/** What the log of the kernel told of the second boot, and what was acknowledged right before its power was cut. */
function checkRecorded({ files, text }: Bundle): void {
  assert.match(text('boot/previous-boot.txt'), /NO SHUTDOWN/)
  assert.match(text('boot/timeline.txt'), /^kernel +done/m, 'the kernel has a time of its own')
  assert.match(text('boot/previous-timeline.txt'), /^hog\.service +FAILED.*\n +oom-kill \(killed by SIGKILL\)$/m)
  withDatabase(files.get('events/events.db')!, (db) => {
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok')
    const boots = db.prepare<[], string>('SELECT boot_id FROM boot_list').pluck().all()
    assert.equal(boots.length, 3)
    const events = db.prepare<[], Recorded>('SELECT boot_id AS boot, type, subject FROM events').all()
    const told = (boot: number, ...types: string[]) =>
      events
        .filter((event) => event.boot === boots[boot] && types.includes(event.type))
        .map(({ type, subject }) => `${type} ${subject}`)
        .sort()
    const GRAVE = ['kernel.oom-kill', 'unit.oom-killed', 'kernel.segfault', 'kernel.hung-task', 'system.unclean-end']
    const second = told(1, ...GRAVE)
    assert.deepEqual(
      [...new Set(second)],
      [
        'kernel.hung-task touch',
        'kernel.oom-kill tail',
        'kernel.segfault python3',
        'system.unclean-end ',
        'unit.oom-killed hog.service',
      ],
    )
    // A hung process is told of again and again.
    const once = second.filter((event) => !event.startsWith('kernel.hung-task'))
    assert.deepEqual(once, [...new Set(once)], 'each is there once')
    assert.deepEqual([...told(2, ...GRAVE), ...told(0, ...GRAVE)], [], 'of the other boots nothing of the kind is told')
    assert.deepEqual(
      [0, 1, 2].map((boot) => told(boot, 'kernel.boot').length),
      [1, 1, 1],
    )
    const noted = Array.from({ length: 50 }, (_, at) => `test.noted noted-${at + 1}`).sort()
    assert.deepEqual(told(1, 'test.noted'), noted, 'what was acknowledged right before the power cut is there once')
  })
}

interface Recorded {
  readonly boot: string
  readonly type: string
  readonly subject: string
}

async function readResult(length: number, from = 0): Promise<Buffer> {
  assert.ok(length > 0, 'no bundle arrived')
  const file = await open(join(folder, 'result'))
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, from)
    return buffer
  } finally {
    await file.close()
  }
}
