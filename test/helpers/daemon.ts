/** A daemon of the test's own, with everything it keeps in a folder of the test's own. */
import { request } from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './archive.ts'
import { run, start, type Ran, type Running } from './cli.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  json(): unknown
}

export interface TestDaemon {
  readonly folder: string
  readonly state: string
  readonly socket: string
  readonly environment: Record<string, string>
  readonly running: Running
  /** Through the unix socket. Rejects when the connection breaks. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Runs a command in the same surroundings. */
  run(...args: string[]): Promise<Ran>
  /** Ends it as systemd does, and waits. */
  stop(): Promise<Ran>
}

/** @param more variables besides those that keep it in its folder; a folder of a test that goes on with it. */
export async function startDaemon(more: Record<string, string> = {}, folder = ownFolder()): Promise<TestDaemon> {
  const socket = join(folder, 'run/diagd.sock')
  const state = join(folder, 'state')
  const environment = { DIAGD_SOCKET: socket, DIAGD_LISTEN: 'none', STATE_DIRECTORY: state, ...more }
  const surroundings = { cwd: folder, env: environment }
  const running = start(['serve'], surroundings)
  await running.says(/diagd listens/)
  return {
    folder,
    state,
    socket,
    environment,
    running,
    ask: (method, path, body, headers) => askSocket(socket, { method, path, body, headers }),
    run: (...args) => run(args, surroundings),
    stop() {
      running.child.kill('SIGTERM')
      return running.ended
    },
  }
}

export function ownFolder(): string {
  const { path, remove } = temporaryFolder()
  onTestFinished(remove)
  return path
}

interface Question {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string> | undefined
}

async function askSocket(socketPath: string, { method, path, body, headers = {} }: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const asked = request({ socketPath, path, method, headers: { ...type, ...headers } }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const whole = Buffer.concat(chunks)
      const { statusCode: status = 0, headers } = response
      resolve({ status, headers, body: whole, json: () => JSON.parse(whole.toString()) as unknown })
    })
  })
  asked.on('error', reject).end(typeof body === 'string' ? body : JSON.stringify(body))
  return promise
}
