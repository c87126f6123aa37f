/** A diagd of its own folder on this machine, from `exec` to listening. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'

export interface Daemon {
  readonly pid: number
  readonly listeningMs: number
  /** Reads one, whole. */
  bundle(): Promise<void>
  stop(): Promise<void>
}

/** `command` gets `serve` as its last argument. */
export async function startDaemon(command: readonly string[], folder: string): Promise<Daemon> {
  mkdirSync(join(folder, 'config'), { recursive: true })
  const socket = join(folder, 'diagd.sock')
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DIAGD_CONFIG_DIR: join(folder, 'config'),
    STATE_DIRECTORY: join(folder, 'state'),
    DIAGD_SOCKET: socket,
    DIAGD_LISTEN: 'none',
  }
  const began = performance.now()
  const child = spawn(command[0]!, [...command.slice(1), 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  const listeningMs = await new Promise<number>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('--unix-socket')) resolve(performance.now() - began)
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} serve exited with code ${code}: ${said}`)))
  })
  return {
    pid: child.pid!,
    listeningMs,
    bundle: () => readAll(socket),
    stop: async () => {
      child.kill()
      await ended
    },
  }
}

async function readAll(socketPath: string): Promise<void> {
  const asked = request({ socketPath, path: '/debug-package' }).end()
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
  if (response.statusCode !== 200) throw new Error(`/debug-package answered ${response.statusCode}`)
  for await (const _ of response) void _
}
