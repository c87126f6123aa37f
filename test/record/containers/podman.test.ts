/** Podman, which speaks Docker's API with whole seconds, other words and other habits. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleOfTail, numbersOf, upTo } from './join/bundle-kit.ts'
import { isComplete, keptOf, logText, messages, startTail, stateFolder } from './tail-kit.ts'

const NEEDED = ['/usr/bin/podman', '/usr/sbin/runc', '/bin/busybox']

function canRun(): boolean {
  try {
    for (const path of NEEDED) accessSync(path, constants.X_OK)
    return process.geteuid?.() === 0
  } catch {
    return false
  }
}

if (!canRun()) console.warn(`SKIPPED: the tail of podman needs ${NEEDED.join(', ')} and root`)

describe.runIf(canRun() || process.env['CI'])('containers of podman', () => {
  let folder = ''
  let service: ReturnType<typeof spawn>
  const socket = () => join(folder, 'podman.sock')
  // The machine may have neither systemd nor control groups that crun likes, nor the right to raise limits.
  const podman = (...args: string[]) =>
    execFileSync('podman', [...options(), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const options = () => [
    ...`--root ${folder}/root --runroot ${folder}/run --runtime runc`.split(' '),
    ...'--storage-driver vfs --cgroup-manager cgroupfs --events-backend file'.split(' '),
  ]
  const run = (name: string, script: string) =>
    podman(
      ...`run --detach --name ${name} --network none --log-driver k8s-file`.split(' '),
      ...'--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 busybox sh -c'.split(' '),
      script,
    )

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diagd-podman-'))
    const image = join(folder, 'image/bin')
    await mkdir(image, { recursive: true })
    await copyFile('/bin/busybox', join(image, 'busybox'))
    for (const name of ['sh', 'echo', 'seq', 'sleep']) await symlink('busybox', join(image, name))
    execFileSync('tar', ['-C', join(folder, 'image'), '-cf', join(folder, 'image.tar'), '.'])
    podman('import', join(folder, 'image.tar'), 'busybox')
    service = spawn('podman', [...options(), 'system', 'service', '--time=0', `unix://${socket()}`], {
      stdio: 'ignore',
    })
    while (!existsSync(socket())) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  afterAll(async () => {
    podman('rm', '--all', '--force', '--time', '0')
    service.kill('SIGKILL')
    await once(service, 'exit')
    await rm(folder, { recursive: true, force: true })
  })

  // Of one with --rm, podman's own follower misses the last line at times: its log is deleted before it is read.
  test('its last words and its end are kept when it is removed', async () => {
    const tail = await startTail([socket()])
    await tail.heard('engine.followed', 'configured')
    run('brief', 'echo ready; while [ ! -e /end ]; do sleep 0.05; done; echo last words >&2; exit 3')
    await keptOf(tail, 'brief', ({ log }) => log.lines === 1)
    podman('exec', 'brief', 'sh', '-c', 'echo > /end')
    await keptOf(tail, 'brief', isComplete)
    podman('rm', 'brief')
    const kept = await keptOf(tail, 'brief', ({ state, logComplete }) => state === 'removed' && logComplete === true)
    expect(kept).toMatchObject({ exitCode: 3, engine: 'configured' })
    expect(messages(await logText(tail.stateDir, kept))).toEqual(['stdout F ready', 'stderr F last words'])
    await tail.heard('container.die', 'brief')
    await tail.heard('container.destroy', 'brief')
  })

  test('after a restart of diagd each line is there once, though thousands share a second', async () => {
    const stateDir = await stateFolder()
    const script = 'n=0; while [ ! -e /end ]; do seq $n $((n+99)); n=$((n+100)); sleep 0.05; done'
    run('steady', script)
    let lines = 0
    for (let round = 0; round < 5; round++) {
      const tail = await startTail([socket()], { stateDir })
      ;({ lines } = (await keptOf(tail, 'steady', ({ log }) => log.lines > lines + 300)).log)
      await tail.close()
    }
    podman('exec', 'steady', 'sh', '-c', 'echo > /end')
    const tail = await startTail([socket()], { stateDir })
    const kept = await keptOf(tail, 'steady', isComplete)
    const numbers = messages(await logText(stateDir, kept)).map((word) => Number(word.slice(9)))
    expect(numbers).toEqual(numbers.map((_, index) => index))
    expect(podman('logs', 'steady').split('\n')).toHaveLength(numbers.length)
  })

  test('lines that say the same in one second are counted', async () => {
    const stateDir = await stateFolder()
    const first = await startTail([socket()], { stateDir })
    run('ticks', 'for i in $(seq 20); do echo tick; done; while [ ! -e /end ]; do sleep 0.05; done; echo tock')
    await keptOf(first, 'ticks', ({ log }) => log.lines === 20)
    await first.close()
    const second = await startTail([socket()], { stateDir })
    podman('exec', 'ticks', 'sh', '-c', 'echo > /end')
    const kept = await keptOf(second, 'ticks', isComplete)
    expect(messages(await logText(stateDir, kept))).toEqual([
      ...Array.from({ length: 20 }, () => 'stdout F tick'),
      'stdout F tock',
    ])
    expect(kept.log.ambiguous).toBeGreaterThan(0)
    await second.heard('container.log-ambiguous', 'ticks')
  })

  test('a bundle has what is stored and what podman has besides, each line once, though thousands share a second', async () => {
    const tail = await startTail([socket()])
    run(
      'on',
      'n=0; while [ ! -e /end ]; do for i in $(seq $((n+1)) $((n+100))); do echo line $i; done; n=$((n+100)); sleep 0.05; done',
    )
    await keptOf(tail, 'on', ({ log }) => log.lines > 1000)
    await tail.close()
    const { lines } = (await keptOf(tail, 'on')).log
    const said = () => podman('logs', 'on').split('\n').length
    while (said() < lines + 500) await new Promise((resolve) => setTimeout(resolve, 20))
    podman('exec', 'on', 'sh', '-c', 'echo > /end')
    podman('wait', 'on')
    const bundle = await bundleOfTail(tail, socket())
    const path = [...bundle.files.keys()].find((name) => name.includes('/on-') && name.endsWith('/log.log'))!
    expect(numbersOf(bundle.text(path))).toEqual(upTo(said()))
  })
})
