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
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe } from 'vitest'
import type { Engine } from '../../src/collector.ts'
import { openEngineLog } from '../../src/sources/engine-log.ts'
import { getJson, openUnixHttp } from '../../src/sources/unix-http.ts'
import { recordedEngine } from './kit.ts'
import { drained, sourceContext } from './source.ts'

const dockerd = '/usr/sbin/dockerd'
const busybox = '/bin/busybox'

/** `describe` with an engine that starts before its tests; without dockerd or root they are skipped, in CI they fail. */
export function describeWithDocker(name: string, tests: (docker: () => Docker) => void): void {
  if (!possible() && !process.env['CI']) {
    console.warn(`SKIPPED: ${name} needs dockerd (Debian package docker.io), busybox-static and root`)
    describe.skip(name, () => tests(() => undefined as never))
    return
  }
  describe(name, () => {
    let docker: Docker | undefined
    beforeAll(async () => {
      docker = await startDocker()
    }, 60_000)
    afterAll(() => docker?.stop(), 60_000)
    tests(() => docker!)
  })
}

function possible(): boolean {
  try {
    accessSync(dockerd, constants.X_OK)
    accessSync(busybox, constants.X_OK)
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

export interface Docker {
  readonly socket: string
  readonly pid: number
  /** Asks the engine anything; rejects with its message when it refuses. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>
  /** Creates a container of busybox without network; resolves to its id. */
  create(name: string, config: ContainerConfig): Promise<string>
  /** Creates and starts one. */
  start(name: string, config: ContainerConfig): Promise<string>
  /** Creates and starts one, and waits for its end. */
  run(name: string, config: ContainerConfig): Promise<string>
  /** Ends dockerd and starts it again; its containers go on meanwhile, for it was told to let them live. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  stop(): Promise<void>
}

interface ContainerConfig {
  readonly Cmd: readonly string[]
  readonly Tty?: boolean
  readonly Env?: readonly string[]
  readonly HostConfig?: Record<string, unknown>
}

/** A shell script as a container's command. */
export const sh = (script: string): readonly string[] => ['sh', '-c', script]

async function startDocker(): Promise<Docker> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-docker-'))
  const socket = join(folder, 'docker.sock')
  const daemon = { child: spawnDocker(folder, socket) }
  try {
    await listening(daemon.child)
    const docker = engine(daemon, folder, socket)
    await importImage(socket)
    return docker
  } catch (error) {
    await end(daemon.child, folder)
    throw error
  }
}

const spawnDocker = (folder: string, socket: string) =>
  spawn(dockerd, flags(folder, socket), { stdio: ['ignore', 'ignore', 'pipe'] })

function flags(folder: string, socket: string): string[] {
  const own = ['data-root', 'exec-root'].flatMap((name) => [`--${name}`, join(folder, name)])
  const noNetwork = ['iptables', 'ip6tables', 'ip-forward', 'ip-masq', 'userland-proxy'].map(
    (name) => `--${name}=false`,
  )
  const here = ['--pidfile', join(folder, 'pid'), '-H', `unix://${socket}`]
  // The machine may have no systemd to ask for cgroups.
  return [...own, ...here, ...noNetwork, ...modest]
}

const modest = [
  '--bridge=none',
  '--storage-driver=vfs',
  '--exec-opt=native.cgroupdriver=cgroupfs',
  '--shutdown-timeout=1',
  '--live-restore',
]

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

function engine(daemon: { child: ChildProcess }, folder: string, socket: string): Docker {
  const ask: Docker['ask'] = (method, path, body) => call(socket, method, path, body)
  const create: Docker['create'] = async (name, config) => {
    const HostConfig = { NetworkMode: 'none', ...config.HostConfig }
    const created = await ask('POST', `/containers/create?name=${name}`, { Image: 'busybox', ...config, HostConfig })
    return (created as { Id: string }).Id
  }
  const start: Docker['start'] = async (name, config) => {
    const id = await create(name, config)
    await ask('POST', `/containers/${id}/start`)
    return id
  }
  return {
    socket,
    get pid() {
      return daemon.child.pid!
    },
    ask,
    create,
    start,
    run: async (name, config) => {
      const id = await start(name, config)
      await ask('POST', `/containers/${id}/wait`)
      return id
    },
    async restart(signal) {
      const exited = once(daemon.child, 'exit')
      daemon.child.kill(signal)
      await exited
      // Its containerd dies with it, and is not buried where the first process of the machine does not care.
      await rm(join(folder, 'exec-root/containerd/containerd.pid'), { force: true })
      daemon.child = spawnDocker(folder, socket)
      await listening(daemon.child)
    },
    stop: async () => {
      const containers = (await ask('GET', '/containers/json?all=1')) as { Id: string }[]
      for (const { Id } of containers) await ask('DELETE', `/containers/${Id}?force=1&v=1`)
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

async function importImage(socket: string): Promise<void> {
  const archive = pack()
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(busybox))
  for (const name of ['sh', 'cat', 'echo', 'printf', 'seq', 'sleep', 'true']) {
    archive.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' })
  }
  archive.finalize()
  const bytes: Buffer[] = []
  for await (const chunk of archive) bytes.push(chunk as Buffer)
  await call(socket, 'POST', '/images/create?fromSrc=-&repo=busybox&tag=latest', Buffer.concat(bytes))
}

function call(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const raw = Buffer.isBuffer(body)
  const headers = { host: 'localhost', 'content-type': raw ? 'application/x-tar' : 'application/json' }
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const bytes: Buffer[] = []
      response.on('data', (chunk: Buffer) => bytes.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(bytes).toString()
        if (response.statusCode! >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
        else resolve(response.headers['content-type'] === 'application/json' && text ? JSON.parse(text) : text)
      })
    })
    asking.on('error', reject)
    asking.end(raw ? body : body === undefined ? undefined : JSON.stringify(body))
  })
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
