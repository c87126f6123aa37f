/**
 * The TCP door. It may open later than the daemon starts (at boot an address or a certificate is not always there yet):
 * what keeps it closed is tried again every minute, and the unix socket serves meanwhile.
 */
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Problem } from '../config.ts'
import type { Listen } from '../config/listen.ts'
import type { Tls } from '../config/tls.ts'
import { exposure, isLoopback } from './exposure.ts'
import { listenTcp } from './listen.ts'
import { createTlsKeeper } from './tls.ts'

export interface TcpDoorOptions {
  readonly listen: Listen
  readonly tls: Tls | undefined
  /** Names that the header Host may have besides addresses; on other addresses than loopback none means any. */
  readonly hosts: readonly string[]
  readonly checkMs?: number
}

export interface TcpDoor {
  /** Undefined while the door is closed. */
  server(): Server | undefined
  /** Where it listens, with the port that the system gave for port 0. */
  address(): Listen | undefined
  /** Why it is closed, or what is wrong with the files of TLS. */
  problems(): Problem[]
  warnings(): string[]
  /** Tries what did not work, and takes a new certificate; what is done every minute anyway. */
  check(): Promise<void>
  /** Ends the checks and takes no more connections; resolves when the last one is gone. */
  close(): Promise<void>
}

const CHECK_MS = 60_000

/** Resolves when the first try is over, however it ended. */
export async function openTcpDoor(app: FastifyInstance, options: TcpDoorOptions): Promise<TcpDoor> {
  const door = createDoorState(app, options)
  await door.check()
  const remember = sayChanges(app, door)
  let last = Promise.resolve()
  const check = () => (last = last.then(door.check).then(remember))
  const timer = setInterval(check, options.checkMs ?? CHECK_MS).unref()
  return {
    ...door,
    check,
    close() {
      clearInterval(timer)
      return door.close()
    },
  }
}

/** What would keep it closed, as far as that can be told without listening. */
export async function checkTcpDoor({ listen, tls }: Pick<TcpDoorOptions, 'listen' | 'tls'>): Promise<Problem[]> {
  const exposed = exposure(listen, tls)
  const keeper = typeof tls === 'object' ? createTlsKeeper(tls) : undefined
  await keeper?.refresh()
  return [exposed, keeper?.problem()].flatMap((message) => (message === undefined ? [] : [{ key: 'tls', message }]))
}

function createDoorState(app: FastifyInstance, { listen, tls, hosts }: TcpDoorOptions): TcpDoor {
  const keeper = typeof tls === 'object' ? createTlsKeeper(tls) : undefined
  let server: Server | undefined
  let closed: Problem | undefined
  let ended = false
  const open = async () => {
    try {
      const opened = await listenTcp(app, listen, {
        tls: keeper?.context(),
        hosts: isLoopback(listen.host) || hosts.length > 0 ? hosts : undefined,
        limitPerAddress: tls !== 'terminated-upstream',
      })
      closed = undefined
      if (ended) opened.close()
      else server = opened
    } catch (error) {
      closed = { key: 'listen', message: `${(error as Error).message}; tried again every minute` }
    }
  }
  return {
    server: () => server,
    address: () => server && { ...listen, port: (server.address() as AddressInfo).port },
    problems() {
      const message = keeper?.problem()
      return [...(message === undefined ? [] : [{ key: 'tls', message }]), ...(closed ? [closed] : [])]
    },
    warnings: () => [keeper?.warning() ?? []].flat(),
    async check() {
      const exposed = exposure(listen, tls)
      if (exposed !== undefined) {
        closed = { key: 'tls', message: exposed }
        return
      }
      const changed = await keeper?.refresh()
      if (!server && (!keeper || keeper.context())) return open()
      // Connections that are open stay as they are; new ones see the new certificate.
      if (changed && server instanceof TlsServer) server.setSecureContext(keeper!.context()!)
    },
    async close() {
      ended = true
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
    },
  }
}

/** Logs what has changed since the last look; what there was from the beginning is told by the daemon. */
function sayChanges({ log }: FastifyInstance, door: TcpDoor): () => void {
  const state = () => new Set([...door.problems().map(({ key, message }) => `${key}: ${message}`), ...door.warnings()])
  let before = state()
  return () => {
    const now = state()
    for (const line of now.difference(before)) log.warn(line)
    for (const line of before.difference(now)) log.info(`no longer so: ${line}`)
    before = now
  }
}
