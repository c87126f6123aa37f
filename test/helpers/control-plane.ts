/** The control plane of examples/, listening, over nodes of the test's own; and nodes that behave as no diagd does. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { connect, createServer as createNetServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { buildControlPlane, PATIENCE } from '../../examples/control-plane/app.ts'
import type { Patience } from '../../examples/control-plane/ask.ts'
import { loadFleet } from '../../examples/control-plane/nodes.ts'
import { temporaryFolder } from './commands.ts'
import { depsOf, openDoors, resultOf } from './http.ts'
import type { Doors } from './http.ts'

interface LogLine {
  readonly outcome?: string
  readonly reason?: string
  readonly code?: string
  readonly bytes?: number
  readonly node?: string
}

export interface Plane {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly address: (node: string) => string
  readonly close: () => Promise<void>
  /** Resolves with the first line of its log that has this outcome. */
  readonly logged: (outcome: string) => Promise<LogLine>
}

interface Uploading {
  /** As in nodes.yaml. */
  readonly storage?: Record<string, string>
  /** What the control plane takes for the time. */
  readonly now?: () => Date
}

/** @param nodes as in nodes.yaml; a text is an address. */
export async function openPlane(
  nodes: Record<string, string | Record<string, string>>,
  patience: Partial<Patience> = {},
  hosts: readonly string[] = [],
  { storage, now }: Uploading = {},
): Promise<Plane> {
  const file = join(temporaryFolder(), 'nodes.yaml')
  const mapped = Object.entries(nodes).map(([id, node]) => [id, typeof node === 'string' ? { address: node } : node])
  writeFileSync(file, stringify({ nodes: Object.fromEntries(mapped), hosts, ...(storage && { storage }) }))
  const log = logOf()
  const fleet = await loadFleet(file)
  const clock = now === undefined ? {} : { now }
  const app = await buildControlPlane({
    fleet,
    logger: log.logger,
    patience: { ...PATIENCE, ...patience },
    ...clock,
  })
  const close = async (): Promise<void> => {
    await app.close()
  }
  onTestFinished(close)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, address: (node) => `${url}/api/nodes/${node}/debug-package`, close, logged: log.logged }
}

function logOf() {
  const lines: LogLine[] = []
  let waiting: (() => void)[] = []
  const write = (line: string) => {
    lines.push(JSON.parse(line) as LogLine)
    for (const look of waiting) look()
  }
  const logged = (outcome: string) =>
    new Promise<LogLine>((resolve) => {
      const look = () => {
        const found = lines.find((line) => line.outcome === outcome)
        if (found) resolve(found)
        waiting = found ? waiting.filter((other) => other !== look) : waiting
      }
      waiting.push(look)
      look()
    })
  return { logger: pino({ base: null }, { write }), logged }
}

/** A real diagd without a lock, with an engine of the test's own. */
export async function openNode(overrides: Parameters<typeof depsOf>[0] = {}): Promise<Doors> {
  const doors = await openDoors(depsOf({ config: { ...depsOf().config, auth: 'none' }, ...overrides }))
  onTestFinished(doors.close)
  return doors
}

interface HowItEnded {
  readonly written: number
  readonly reason: string
}

/** A diagd whose bundle is more than every buffer on the way together. */
export async function endlessNode(): Promise<{ tcp: string; ended: Promise<HowItEnded> }> {
  const chunk = Buffer.alloc(64 * 1024)
  const { promise: ended, resolve } = Promise.withResolvers<HowItEnded>()
  const { tcp } = await openNode({
    // Gives up a reader that takes nothing: by then every buffer on the way is full.
    stallMs: 500,
    async collect({ sink, signal }) {
      let written = 0
      try {
        for (; written < 256 * 1024 * 1024; written += chunk.length) await sink.write(chunk)
        resolve({ written, reason: 'nothing held it up' })
      } catch (error) {
        resolve({ written, reason: String(signal.aborted ? signal.reason : error) })
      }
      return resultOf(written)
    },
  })
  return { tcp, ended }
}

/** Asks, and takes no byte of the answer. */
export async function readNothing(address: string): Promise<void> {
  const { port, pathname } = new URL(address)
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.pause()
  await once(socket, 'connect')
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
}

/** Of what kernels hold in the connections on the way; who gathers would have taken all of it. */
export async function expectHeldUp(ended: Promise<HowItEnded>): Promise<void> {
  const { written, reason } = await ended
  expect(reason).toContain('the client took no byte')
  expect(written).toBeLessThan(64 * 1024 * 1024)
}

/** Something that speaks HTTP, and is no diagd. */
export function httpNode(listener: RequestListener): Promise<string> {
  return listen(createHttpServer(listener))
}

/** Something that speaks TCP, if anything. */
export function rawNode(onConnection: (socket: Socket) => void): Promise<string> {
  return listen(
    createNetServer((socket) => {
      socket.on('error', () => {}).resume()
      onTestFinished(() => void socket.destroy())
      onConnection(socket)
    }),
  )
}

/** Where nothing listens. */
export async function deadAddress(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`
}

export async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
