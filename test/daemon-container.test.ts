/** Without systemd: as the first process of its pid namespace, where a signal that is not handled does nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from './helpers/archive.ts'
import { describeWithDocker } from './helpers/docker.ts'
import { openNotifySocket } from './helpers/notify-socket.ts'
import type { NotifySocket } from './helpers/notify-socket.ts'

const REPOSITORY = join(import.meta.dirname, '..')
const CLI = join(REPOSITORY, 'src/cli.ts')
/** Links lead out of what a container gets to see. */
const NODE = realpathSync(process.execPath)

let folder: ReturnType<typeof temporaryFolder>
let ready: NotifySocket

beforeEach(async () => {
  folder = temporaryFolder()
  mkdirSync(join(folder.path, 'extras.d'))
  // An entry that does not end by itself, and a child of its own that ignores what can be ignored.
  writeFileSync(join(folder.path, 'extras.d/slow.conf'), `$ sh -c "trap '' TERM; sleep 600 & wait"\n`)
  ready = await openNotifySocket(join(folder.path, 'notify'))
})

afterEach(() => {
  ready.close()
  folder.remove()
})

const environment = () => ({
  DIAGD_CONFIG_DIR: folder.path,
  DIAGD_LISTEN: 'none',
  DIAGD_SOCKET: join(folder.path, 'diagd.sock'),
  STATE_DIRECTORY: join(folder.path, 'state'),
  NOTIFY_SOCKET: ready.name,
})

/** Resolves when the first bytes are there; it will not end by itself. */
async function startBundle(): Promise<IncomingMessage> {
  const asked = get({ socketPath: join(folder.path, 'diagd.sock'), path: '/debug-package?only=extras' })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  await once(response, 'data')
  return response
}

test.runIf(process.getuid!() === 0)(
  'SIGTERM ends PID 1, also while it makes a bundle, and the bundle breaks off visibly',
  async () => {
    const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', NODE, CLI, 'serve'], {
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    await ready.hears(/READY/)
    const first = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'))
    expect(readFileSync(`/proc/${first}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
    const bundle = await startBundle()
    const broken = new Promise((resolve) => bundle.once('close', resolve))
    process.kill(first, 'SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    await broken
    expect([code, bundle.complete]).toEqual([0, false])
    expect(log).toContain('"msg":"diagd stopped"')
  },
)

describeWithDocker('a container', (docker) => {
  test('serves on a socket in a volume, and stops in good order', async () => {
    const seen = ['/usr', '/lib', '/lib64', REPOSITORY].map((path) => `${path}:${path}:ro`)
    const id = await docker().start('diagd', {
      Cmd: ['/usr/bin/env', '-i', ...Object.entries(environment()).map((pair) => pair.join('=')), NODE, CLI, 'serve'],
      HostConfig: { Binds: [...seen, `${folder.path}:${folder.path}`] },
    })
    await ready.hears(/READY/)
    const bundle = await startBundle()
    await docker().ask('POST', `/containers/${id}/stop?t=50`)
    const { State } = (await docker().ask('GET', `/containers/${id}/json`)) as { State: { ExitCode: number } }
    // 137 would be the SIGKILL after those 50 seconds.
    expect([State.ExitCode, bundle.complete]).toEqual([0, false])
  })
})
