/** One run of a machine, from its start to its end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import { createNetwork, insideOf } from './network.ts'
import { childrenOf } from './processes.ts'
import { rootFolder } from './rootfs.ts'

export interface Running {
  /** Id of the machine's first process, as the host sees it. */
  readonly leader: number
  readonly booted: 'running' | 'degraded'
  /** Exit code of systemd-nspawn. */
  readonly ended: Promise<number | null>
  powerOff(): void
}

/** Resolves when everything is up; rejects with the console when the machine ends before. */
export async function startNspawn(machine: Machine): Promise<Running> {
  await createNetwork(machine.name)
  const { upper, work, root } = machine.layers
  const overlay = `lowerdir=${rootFolder()},upperdir=${upper},workdir=${work}`
  // In a mount namespace of its own: nothing is left to unmount, however it ends.
  const inside = ['--mount', '--', '/bin/sh', '-euc', MOUNT_AND_EXEC, 'sh', overlay, root, ...machine.cgroups, '--']
  const child = spawn('unshare', [...inside, ...nspawn(machine)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve)
    child.once('error', reject)
  })
  const booted = await bootReport(child, ended, join(machine.folder, 'console.log'))
  const [leader] = childrenOf(child.pid!)
  if (leader === undefined) throw new Error(`${machine.name} ended right after its boot`)
  return { leader, booted, ended, powerOff: () => child.kill('SIGTERM') }
}

/** Mounts the root, enters the control groups that are named before `--`, and becomes the command behind it. */
const MOUNT_AND_EXEC = `mount -t overlay -o "$1" overlay "$2"
shift 2
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs"
  shift
done
shift
exec "$@"`

function nspawn({ name, layers: { root, docker } }: Machine): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    `--directory=${root}`,
    `--machine=${name}`,
    `--bind=${docker}:/var/lib/docker`,
    `--network-namespace-path=${insideOf(name)}`,
    // The host may have no systemd, and what it has is no business of the machine.
    '--register=no',
    '--keep-unit',
    '--settings=no',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    // What Docker needs.
    '--capability=all',
    '--system-call-filter=add_key keyctl request_key bpf',
    '--kill-signal=SIGRTMIN+3',
    '--console=read-only',
    '/sbin/test-init',
  ]
}

/** Some 3 s are usual. */
const BOOT_DEADLINE_MS = 180_000

/** test-booted.service says it on the console. */
function bootReport(child: ChildProcess, ended: Promise<unknown>, log: string): Promise<Running['booted']> {
  const file = createWriteStream(log, { flags: 'a' })
  return new Promise((resolve, reject) => {
    let console = ''
    const late = () => reject(new Error(`the machine is not up after ${BOOT_DEADLINE_MS} ms:\n${console}`))
    setTimeout(late, BOOT_DEADLINE_MS).unref()
    const hear = (chunk: Buffer) => {
      file.write(chunk)
      console = (console + chunk.toString('latin1')).slice(-8192)
      const state = /test machine: (\w+)/.exec(console)?.[1]
      if (state === 'running' || state === 'degraded') resolve(state)
      else if (state) reject(new Error(`the machine is ${state}:\n${console}`))
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    void ended.then(
      (code) => reject(new Error(`the machine ended with ${String(code)} before it was up:\n${console}`)),
      reject,
    )
  })
}
