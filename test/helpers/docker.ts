/**
 * A Docker engine of the test's own: real `dockerd` on a socket and in folders of its own, without network, with one
 * image `busybox` made of the machine's static busybox. Nothing is pulled, nothing of the machine's own engine is used.
 *
 *     describeWithDocker('the log of a container', (docker) => {
 *       test('…', async () => {
 *         const id = await docker().run('talker', { Cmd: ['echo', 'hello'] })
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import type { Engine } from '../../src/collector.ts'
import { openEngineLog } from '../../src/sources/engine-log.ts'
import { getJson, openUnixHttp } from '../../src/sources/unix-http.ts'
import { BUSYBOX, driveEngine, type DrivenEngine } from './driven-engine.ts'
import { recordedEngine } from './kit.ts'
import { drained, sourceContext } from './source.ts'

const dockerd = '/usr/sbin/dockerd'

/** `describe` with an engine that starts before its tests; `storage`: without flags it takes the best driver there is. Without dockerd or root they are skipped, in CI they fail. */
export function describeWithDocker(
  name: string,
  tests: (docker: () => Docker) => void,
  storage = ['--storage-driver=vfs'],
): void {
  if (!possible() && !process.env['CI']) {
    console.warn(`SKIPPED: ${name} needs dockerd (Debian package docker.io), busybox-static and root`)
    describe.skip(name, () => tests(() => undefined as never))
    return
  }
  describe(name, () => {
    let docker: Docker | undefined
    beforeAll(async () => {
      docker = await startDocker(storage)
    }, 60_000)
    afterAll(() => docker?.stop(), 60_000)
    tests(() => docker!)
  })
}

function possible(): boolean {
  try {
    accessSync(dockerd, constants.X_OK)
    accessSync(BUSYBOX, constants.X_OK)
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

export interface Docker extends DrivenEngine {
  readonly pid: number
  /** Ends dockerd and starts it again; its containers go on meanwhile, for it was told to let them live. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  stop(): Promise<void>
}

/** A shell script as a container's command. */
export const sh = (script: string): readonly string[] => ['sh', '-c', script]

async function startDocker(storage: readonly string[]): Promise<Docker> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-docker-'))
  const socket = join(folder, 'docker.sock')
  const spawnIt = () => spawn(dockerd, [...flags(folder, socket), ...storage], { stdio: ['ignore', 'ignore', 'pipe'] })
  const daemon = { child: spawnIt(), spawnIt }
  try {
    await listening(daemon.child)
    const docker = engine(daemon, folder, socket)
    await docker.importBusybox()
    return docker
  } catch (error) {
    await end(daemon.child, folder)
    throw error
  }
}

function flags(folder: string, socket: string): string[] {
  const own = ['data-root', 'exec-root'].flatMap((name) => [`--${name}`, join(folder, name)])
  const noNetwork = ['iptables', 'ip6tables', 'ip-forward', 'ip-masq', 'userland-proxy'].map(
    (name) => `--${name}=false`,
  )
  const here = ['--pidfile', join(folder, 'pid'), '-H', `unix://${socket}`]
  // The machine may have no systemd to ask for cgroups.
  return [...own, ...here, ...noNetwork, ...modest]
}

const modest = ['--bridge=none', '--exec-opt=native.cgroupdriver=cgroupfs', '--shutdown-timeout=1', '--live-restore']

/** Resolves when dockerd says that it listens; reads on, so that its log never blocks it. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-8192)
      if (log.includes('API listen on')) resolve()
    })
    child.once('exit', () => reject(new Error(`dockerd did not start:\n${log}`)))
    child.once('error', reject)
  })
}

function engine(
  daemon: { child: ChildProcess; readonly spawnIt: () => ChildProcess },
  folder: string,
  socket: string,
): Docker {
  const driven = driveEngine(socket)
  return {
    ...driven,
    get pid() {
      return daemon.child.pid!
    },
    async restart(signal) {
      const exited = once(daemon.child, 'exit')
      daemon.child.kill(signal)
      await exited
      // Its containerd dies with it, and is not buried where the first process of the machine does not care.
      await rm(join(folder, 'exec-root/containerd/containerd.pid'), { force: true })
      daemon.child = daemon.spawnIt()
      await listening(daemon.child)
    },
    stop: async () => {
      const containers = (await driven.ask('GET', '/containers/json?all=1')) as { Id: string }[]
      for (const { Id } of containers) await driven.ask('DELETE', `/containers/${Id}?force=1&v=1`)
      await end(daemon.child, folder)
    },
  }
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await exited
  }
  // Namespaces and the data folder itself stay mounted when the engine goes.
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '')
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).toReversed()) {
    execFileSync('umount', ['-l', mount])
  }
  await rm(folder, { recursive: true, force: true })
}

/** A collector's view of a real engine: it asks for real, and what is described can be opened by its request. */
export function realEngine(socket: string, options: Partial<Pick<Engine, 'label' | 'kind'>> = {}): Engine {
  return { ...recordedEngine({}, { socket, ...options }), get: (path) => getJson({ socket, path }, sourceContext()) }
}

/** Opens what a collector described of that engine: `logs ID`, or the path of a GET. */
export async function openRequest(socket: string, request: string): Promise<string> {
  const [, containerId] = /^logs (.*)$/.exec(request) ?? []
  const opened = containerId
    ? openEngineLog({ socket, containerId }, sourceContext())
    : openUnixHttp({ socket, path: request }, sourceContext())
  return (await drained(await opened)).text
}
