/**
 * A container in which an engine and diagd run, beside each other and without systemd. Its engine is driven from outside, over the /run
 * that the container shares; so is diagd. The test's own folders are at `/shared` in it.
 */
import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import type { KeptContainer } from '../../src/record/containers/container.ts'
import { createKept } from '../../src/record/containers/kept.ts'
import type { Docker } from '../helpers/docker.ts'
import { driveEngine, type DrivenEngine } from '../helpers/driven-engine.ts'
import { ownFolder } from '../helpers/source.ts'
import { openBundle, type Bundle } from '../system/harness/diagd.ts'

// An engine in an engine, and all of a bundle, on a machine that does other things.
vi.setConfig({ testTimeout: 180_000 })

const REPOSITORY = join(import.meta.dirname, '../..')
/** Links lead out of what the container gets to see. */
const NODE = realpathSync(process.execPath)

export interface Place {
  /** Runs a script inside, as root; what goes on afterwards needs its output elsewhere. */
  sh(script: string): Promise<string>
  /** The engine inside. */
  readonly engine: DrivenEngine
  /** Starts diagd inside; resolves when it answers. */
  startDiagd(): Promise<void>
  ask(path: string): Promise<unknown>
  /** A whole one, says `diagd verify`. */
  bundle(query?: string): Promise<Bundle>
  /** What diagd keeps of a container, once it satisfies. */
  kept(name: string, satisfies: (container: KeptContainer) => boolean): Promise<KeptContainer>
}

interface PlaceOptions {
  /** The folder it shares with the test. If it is /run, /var/run is a link to it, unlike in images that were made of little. */
  readonly run?: string
  /** Below it. */
  readonly socket?: string
  /** Of the engine outside. */
  readonly runtime?: string
  /** What of it is on the disk of the machine, and not in the container's file system. */
  readonly volume?: string
}

/** Until the test ends. Of the machine it sees what programs need to run; those of the engine are in /opt, to be installed. */
export async function startPlace(docker: Docker, name: string, options: PlaceOptions = {}): Promise<Place> {
  const { run = '/run', socket = 'docker.sock', runtime = 'runc', volume } = options
  const folder = await ownFolder()
  for (const name of ['run', 'diagd', 'volume']) await mkdir(join(folder, name))
  const shown = ['/usr/lib', '/lib', '/lib64', REPOSITORY].map((path) => `${path}:${path}:ro`)
  const programs = ['/usr/bin:/opt/bin:ro', '/usr/sbin:/opt/sbin:ro']
  const id = await docker.start(name, {
    Cmd: ['sleep', '1000000'],
    HostConfig: {
      Binds: [
        ...shown,
        ...programs,
        `${folder}/run:${run}`,
        `${folder}:/shared`,
        ...(volume ? [`${folder}/volume:${volume}`] : []),
      ],
      // As good as privileged; machines of tests lack CAP_SYS_RESOURCE themselves.
      CapAdd: ['ALL'],
      CapDrop: ['SYS_RESOURCE'],
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
      DeviceCgroupRules: ['a *:* rwm'],
      Init: true,
      Runtime: runtime,
    },
  })
  onTestFinished(async () => void (await docker.ask('DELETE', `/containers/${id}?force=1&v=1`)))
  const sh: Place['sh'] = (script) => docker.exec(id, script)
  await sh(`/bin/busybox --install -s /bin; mkdir -p /tmp /var/log; ${run === '/run' ? 'ln -s /run /var/run' : ''}`)
  const socketPath = join(folder, 'diagd/diagd.sock')
  const get = (path: string) => getBytes(socketPath, path)
  return {
    sh,
    engine: driveEngine(join(folder, 'run', socket)),
    startDiagd: async () => {
      const variables = ['DIAGD_SOCKET=/shared/diagd/diagd.sock', 'DIAGD_LISTEN=none', 'STATE_DIRECTORY=/shared/diagd']
      const command = ['env', '-i', `PATH=${PATH}`, ...variables, NODE, join(REPOSITORY, 'src/cli.ts'), 'serve']
      await sh(`${command.join(' ')} >/shared/diagd.log 2>&1 &`)
      await until(async () => (await get('/health').catch(() => undefined)) !== undefined)
    },
    ask: async (path) => JSON.parse((await get(path)).toString()) as unknown,
    bundle: async (query = '') => openBundle(await get(`/debug-package${query}`)),
    kept: (container, satisfies) =>
      until(async () => {
        const found = (await createKept(join(folder, 'diagd')).list()).find((one) => one.name === container)
        return found && satisfies(found) ? found : undefined
      }),
  }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function getBytes(socketPath: string, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        if (response.statusCode === 200 && response.complete) resolve(bytes)
        else reject(new Error(`${path}: ${response.statusCode} ${bytes.toString('latin1').slice(0, 2000)}`))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
