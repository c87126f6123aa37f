/** The HTTP interface behind real doors, with an engine of the test's own. */
import { spawn } from 'node:child_process'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import type { BundleResult } from '../../src/collect/types.ts'
import { DEFAULT_LIMITS } from '../../src/config/limits.ts'
import { buildApp } from '../../src/http/app.ts'
import type { AppDeps } from '../../src/http/app.ts'
import { createTokenStore } from '../../src/http/auth/token-store.ts'
import { listenTcp, listenUnix } from '../../src/http/listen.ts'
import { createPlaces } from '../../src/http/places.ts'
import { temporaryFolder } from './archive.ts'

export const BUNDLE_ID = 'debug-test-20260615T120000Z-abcdef'

export function resultOf(bytesOut: number): BundleResult {
  return { bundleId: BUNDLE_ID, outcome: 'whole', rows: [], bytesIn: bytesOut, bytesOut, durationMs: 1 }
}

/** An app whose engine answers `bundle`, unless the test says otherwise. */
export function depsOf(overrides: Partial<AppDeps> = {}): AppDeps {
  return {
    config: {
      auth: undefined,
      jwt: undefined,
      tls: undefined,
      limits: DEFAULT_LIMITS,
      recipients: [],
      socket: '/run/diagd/diagd.sock',
    },
    node: 'test',
    tokens: createTokenStore('/nonexistent', process.getuid!()),
    logger: pino({ level: 'silent' }),
    places: createPlaces(2),
    health: () => ({ status: 'ok' }),
    collectorIds: ['boot', 'kernel'],
    bundleId: () => BUNDLE_ID,
    closing: new AbortController().signal,
    stallMs: 60_000,
    async collect({ sink }) {
      await sink.write(Buffer.from('bundle'))
      return resultOf(6)
    },
    ...overrides,
  }
}

export interface Doors {
  readonly socket: string
  /** `http://127.0.0.1:PORT` */
  readonly tcp: string
  readonly close: () => Promise<void>
}

export async function openDoors(deps: AppDeps): Promise<Doors> {
  const folder = temporaryFolder()
  const socket = join(folder.path, 'run/diagd.sock')
  const app = await buildApp(deps)
  const servers: Server[] = [
    await listenUnix(app, socket, process.getuid!()),
    await listenTcp(app, { host: '127.0.0.1', port: 0 }),
  ]
  const { port } = servers[1]!.address() as AddressInfo
  const close = async () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    await app.close()
    folder.remove()
  }
  return { socket, tcp: `http://127.0.0.1:${port}`, close }
}

export interface Curled {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs curl to its end; the server is in this process, so nothing may block. */
export async function curl(...args: string[]): Promise<Curled> {
  const child = spawn('curl', ['--no-progress-meter', '--max-time', '60', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [stdout, stderr] = await Promise.all([collected(child.stdout), collected(child.stderr)])
  return { code: await ended, stdout, stderr: stderr.toString() }
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}
